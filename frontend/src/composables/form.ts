/** The state of a form: one request at a time, errors next to their fields or above the button. */
import { reactive, ref } from "vue";

import { messageOf } from "@/api/errors";

/** Return an error for each field that has one. */
export type Checks<Field extends string> = () => Partial<Record<Field, string>>;

/** Run `send` on submit, unless `check` finds errors. `isBusy` is true until it has ended. */
export function useForm<Field extends string>(
  check: Checks<Field>,
  send: () => Promise<void>,
  explain: (error: unknown) => Partial<Record<Field, string>> | null = () => null,
) {
  const errors = reactive<Partial<Record<string, string>>>({});
  const failure = ref("");
  const isBusy = ref(false);

  function showErrors(found: Partial<Record<Field, string>>): boolean {
    for (const field of Object.keys(errors)) errors[field] = "";
    Object.assign(errors, found);
    return Object.values(found).some(Boolean);
  }

  async function submit(event?: Event): Promise<void> {
    if (isBusy.value) return;
    failure.value = "";
    if (showErrors(check())) {
      focusFirstError(event?.target);
      return;
    }
    isBusy.value = true;
    try {
      await send();
    } catch (error) {
      const fields = explain(error);
      if (fields && showErrors(fields)) focusFirstError(event?.target);
      else failure.value = messageOf(error);
    } finally {
      isBusy.value = false;
    }
  }

  return { errors, failure, isBusy, submit };
}

function focusFirstError(form: EventTarget | null | undefined): void {
  // The fields are marked when Vue has updated the document.
  setTimeout(() => {
    if (form instanceof HTMLElement) {
      form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  });
}
