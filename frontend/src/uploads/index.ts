/** Ask for files, and upload them. */
export function chooseFiles(): void {
  // The upload queue is written next.
}
