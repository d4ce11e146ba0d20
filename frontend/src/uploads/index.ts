/** Ask for files, and upload them. */
export function chooseFiles(): void {
  // The upload queue is written next.
}

/** Upload files. They are safe once the promise is fulfilled. */
export async function enqueueFiles(files: readonly File[]): Promise<void> {
  // The upload queue is written next.
  await Promise.resolve(files);
}
