/** What the album says about itself in `/config.json`. */
export interface Config {
  /** The path or origin in front of every route of the API. */
  api: string;
  /** Whether anyone may sign up. */
  signup: boolean;
  /** Whether an emailed code must confirm an account. */
  confirmation: boolean;
}

export const config: Config = { api: "", signup: true, confirmation: false };

/** Read `/config.json` into `config`. Without it, as when offline, the defaults hold. */
export async function loadConfig(): Promise<void> {
  try {
    const response = await fetch("/config.json");
    if (response.ok) Object.assign(config, await response.json());
  } catch {
    // A service worker shows the page offline; requests of the API then fail with their own message.
  }
}
