/** Changes that are not saved yet are never lost without a question. */
import { onBeforeUnmount, onMounted, shallowRef, type Ref } from "vue";
import { onBeforeRouteLeave, onBeforeRouteUpdate } from "vue-router";

import { keepDraft, type Draft } from "@/components/edit/draft";

interface Editor {
  isDirty: boolean;
  draft: Draft;
}

export function useUnsavedChanges(
  editor: Readonly<Ref<Editor | null>>,
  photo: Readonly<{ id: string }>,
) {
  const isAsked = shallowRef(false);
  let resolve: ((mayLeave: boolean) => void) | null = null;
  let isAllowed = false;

  /** Ask whether changes may be discarded, if there are any. */
  async function mayLeave(): Promise<boolean> {
    if (isAllowed || !editor.value?.isDirty) return true;
    if (isAsked.value) return false;
    isAsked.value = true;
    return new Promise<boolean>((answered) => (resolve = answered));
  }

  function answer(mayBeDiscarded: boolean): void {
    if (!isAsked.value) return;
    isAsked.value = false;
    // The question is asked once, also where leaving takes several steps.
    isAllowed = mayBeDiscarded;
    setTimeout(() => (isAllowed = false), 1_000);
    resolve?.(mayBeDiscarded);
  }

  function warn(event: BeforeUnloadEvent): void {
    if (editor.value?.isDirty) event.preventDefault();
  }

  onBeforeRouteUpdate(() => mayLeave());
  onBeforeRouteLeave((to) => {
    if (!to.meta.isPublic || !editor.value?.isDirty) return mayLeave();
    // The session has ended. The draft will be there after the next sign-in.
    keepDraft(photo.id, editor.value.draft);
    return true;
  });
  onMounted(() => {
    window.addEventListener("beforeunload", warn);
  });
  onBeforeUnmount(() => {
    window.removeEventListener("beforeunload", warn);
  });

  return { isAsked, mayLeave, answer };
}
