import type { Photo } from "@/api/types";

/** All text of the page. To add a language, translate this file. */
export const text = {
  app: "CloudAlbum",
  skipToContent: "Skip to content",

  nav: {
    main: "Main",
    photos: "Photos",
    favorites: "Favorites",
    map: "Map",
    trash: "Trash",
    upload: "Upload",
    search: "Search",
    searchHint: "Search your photos",
    account: "Account",
    settings: "Settings",
    signOut: "Sign out",
    more: "More",
  },

  status: { undo: "Undo", dismiss: "Dismiss", retry: "Try again" },

  errors: {
    offline: "No connection. Check your network, then try again.",
    unexpected: (status: number) =>
      `Something went wrong${status ? ` (status ${String(status)})` : ""}. Try again.`,
    busy: "The album is busy. Try again in a minute.",
    required: (field: string) => `${field} is required.`,
    email: "Enter an email address, such as mario@example.com.",
    code: "Enter the code from the email.",
    passwordSpaces: "A password must not begin or end with a space.",
  },

  form: {
    name: "Name",
    email: "Email",
    password: "Password",
    newPassword: "New password",
    currentPassword: "Current password",
    showPassword: "Show password",
    hidePassword: "Hide password",
    code: "Code",
    cancel: "Cancel",
    passwordHint: "At least 8 characters, with upper and lower case letters, a digit and a symbol.",
  },

  signIn: {
    title: "Sign in",
    submit: "Sign in",
    createAccount: "Create an account",
    forgot: "Forgot your password?",
    enterCode: "Enter the code that confirms your address",
    expired: "Your session has ended. Sign in to continue where you were.",
    passwordChanged: "Your password is changed, and all devices are signed out. Sign in again.",
    accountDeleted: "Your account and all of its photos are deleted.",
    confirmed: "Your account is ready. Sign in to open it.",
  },

  signUp: {
    title: "Create an account",
    submit: "Create account",
    signInInstead: "Sign in instead",
    codeSent: (email: string) => `We sent a code to ${email}. Enter it to confirm your address.`,
    confirm: "Confirm",
    sendAnother: "Send another code",
    anotherSent: "Another code is on its way.",
    closed: "This album does not accept new accounts.",
  },

  forgot: {
    title: "Reset your password",
    intro: "Enter the email address of your account. You will receive a code.",
    send: "Send code",
    sent: (email: string) => `If ${email} has an account, a code is on its way.`,
    submit: "Set password",
    back: "Back to sign in",
  },

  settings: {
    title: "Settings",
    profile: "Profile",
    signedInAs: (email: string) => `You sign in as ${email}.`,
    saveName: "Save name",
    nameSaved: "Name saved.",
    password: "Password",
    passwordHint: "Changing it signs you out on every device, including this one.",
    changePassword: "Change password",
    usage: "Storage",
    photoCount: "Photos",
    trashCount: "Of these, in the trash",
    storage: "Size of the originals",
    memberSince: "Member since",
    appearance: "Appearance",
    theme: { system: "System", light: "Light", dark: "Dark" },
    deleteTitle: "Delete account",
    deleteIntro: "Deletes your account with all of its photos, permanently.",
    deleteAccount: "Delete account",
    deleteQuestion: "Delete your account?",
    deleteLoses: (photos: string, size: string) =>
      `You will permanently lose ${photos} (${size}), including those in the trash. Download what ` +
      "you want to keep first. Nobody can bring them back.",
    deleting: (left: string) => `Deleting. ${left} left.`,
  },

  photos: {
    title: "Photos",
    failed: "Your photos could not be loaded",
    empty: "No photos yet",
    emptyHint: "Drop photos or folders anywhere on this page, or choose them with Upload.",
    photo: "Photo",
    count: photos,
  },

  favorites: {
    title: "Favorites",
    empty: "No favorites yet",
    emptyHint: "Open a photo and press f, or its heart, to find it here.",
  },

  search: {
    title: "Search",
    prompt: "Search your photos",
    hint: "Words in descriptions, tags, places and file names. Photos that have all of them are found.",
    results: (query: string) => `Results for “${query}”`,
    none: (query: string) => `No photos found for “${query}”`,
    noneHint: "Check the spelling, or try fewer words.",
  },

  trash: {
    title: "Trash",
    empty: "The trash is empty",
    emptyHint: "Photos that you move to the trash stay here for a while, and can be restored.",
    moved: (count: number) => `Moved ${photos(count)} to the trash.`,
    restored: (count: number) => `Restored ${photos(count)}.`,
    deleted: (count: number) => `Deleted ${photos(count)} permanently.`,
    restore: "Restore",
    deletePermanently: "Delete permanently",
    deleteQuestion: (count: number) => `Delete ${photos(count)} permanently?`,
    emptyTrash: "Empty trash",
    emptyQuestion: "Empty the trash?",
    noUndo: "This cannot be undone.",
    emptied: "The trash is empty.",
  },

  notFound: {
    title: "Page not found",
    hint: "The address may be incomplete.",
    home: "Go to your photos",
  },

  offline: {
    notice: "You are offline. What you have seen before is still here.",
    newVersion: "A new version is ready.",
    reload: "Reload",
  },

  deletion: {
    title: "Finish deleting your account",
    notice:
      "The deletion of your account was interrupted. Some of its photos are deleted already, so the " +
      "account can only be deleted completely. Enter your password to finish.",
  },

  downloads: {
    one: (name: string) => `Downloading ${name}`,
    many: (count: number) => `Downloading ${photos(count)}`,
    failed: (count: number, names: readonly string[], reason: string) =>
      `${number(names.length)} of ${photos(count)} could not be downloaded: ${these(names)}. ${reason}`,
    tooLarge:
      "This browser cannot save more than 500 MB at once. Select fewer photos, or use another browser.",
  },

  grid: {
    timeline: "Timeline",
    select: "Select",
  },

  selection: {
    title: "Selection",
    selected: (count: number) => `${number(count)} selected`,
    clear: "Clear selection",
    favorite: "Favorite",
    favored: (count: number) => `Added ${photos(count)} to your favorites.`,
    unfavored: (count: number) => `Removed ${photos(count)} from your favorites.`,
    download: "Download",
    moveToTrash: "Move to trash",
  },

  uploads: {
    title: "Uploads",
    all: "All uploads",
    files: "Files",
    states: {
      waiting: "Waiting",
      uploading: "Uploading",
      processing: "Processing",
      done: "Done",
      known: "Already in your album",
      failed: (why: string) => `Failed: ${why}`,
    },
    progress: (over: number, all: number) => `${number(over)} of ${files(all)}`,
    uploading: (left: number) => `Uploading ${files(left)}`,
    offline: "Paused: no connection. Uploads continue when you are online.",
    otherTab: "Another tab of this browser uploads the files.",
    summary: (done: number, known: number, failed: number) =>
      [
        done > 0 && `${photos(done)} uploaded.`,
        known > 0 && `${number(known)} already in your album.`,
        failed > 0 && `${number(failed)} failed.`,
      ]
        .filter(Boolean)
        .join(" "),
    cancel: "Cancel",
    stopAll: "Stop all",
    retry: "Retry",
    retryAll: "Retry all",
    clear: "Clear list",
    showFiles: "Show files",
    hideFiles: "Hide files",
    drop: "Drop photos or folders to upload them",
    lost: "This file can no longer be read. Drop or choose it again.",
    locked: "The browser asks before it reads this file again. Press Retry to allow it.",
    dropAgain: (names: readonly string[]) =>
      `Drop or choose ${these(names)} again: the browser kept no copy.`,
    notPhotos: (names: readonly string[]) => `Skipped ${these(names)}: not a photo.`,
    repeated: (names: readonly string[]) => `Skipped ${these(names)}: the same photo twice.`,
    nothing: "There are no photos in what you dropped.",
    unreadable: "The files could not be read. Drop or choose them again.",
    inTrash: "In the trash",
    trashed: (count: number) =>
      count === 1 ? "One of these photos is in the trash." : `${photos(count)} are in the trash.`,
    restore: "Restore",
    restoreAll: "Restore them",
    noPosition: (count: number) =>
      `Your phone removed the location from ${photos(count)} before the browser got ` +
      `${count === 1 ? "it" : "them"}. You can set it on a map.`,
    setPosition: "Set location",
    gotIt: "Got it",
    leaveTitle: "Sign out and stop the uploads?",
    leaveHint: (left: number) =>
      `${files(left)} ${left === 1 ? "is" : "are"} not uploaded yet, and will not be.`,
  },

  viewer: {
    dialog: "Photo",
    previous: "Previous",
    next: "Next",
    close: "Close",
    favorite: "Favorite",
    info: "Info",
    edit: "Edit",
    download: "Download",
    moveToTrash: "Move to trash",
    loading: "Loading the photo",
    missing: "This photo does not exist",
    missingHint: "It may have been deleted permanently, or belong to another account.",
    failed: "This photo could not be loaded",
    broken: "This photo cannot be displayed. Download it to open it with another program.",
    back: "Back to the photos",
  },

  info: {
    hide: "Hide info",
    noDescription: "No description",
    date: "Date",
    noDate: "No date",
    uploaded: (date: string) => `Uploaded ${date}`,
    offset: (offset: string) => (offset === "Z" ? "UTC" : `UTC${offset}`),
    camera: "Camera",
    file: "File",
    dimensions: (width: number, height: number) => `${number(width)} × ${number(height)}`,
    tags: "Tags",
    place: "Place",
    position: "Position",
    coordinates,
  },

  edit: {
    title: "Edit",
    description: "Description",
    tags: "Tags",
    tagsHint: "Separated by commas",
    suggestions: "Suggestions",
    addTag: (tag: string) => `Add ${tag}`,
    date: "Date taken",
    dateHint: "Local date and time, such as 2026-11-03 14:30:05",
    dateHintWithOffset: (offset: string) => `Local date and time, ${offset}`,
    dateError: "Enter a date and time, such as 2026-11-03 14:30:05.",
    chooseDate: "Choose a date",
    place: "Place",
    placeHint: "Street, city, country",
    position: "Position",
    positionHint: "Click the map, or enter degrees, to set where the photo was taken.",
    latitude: "Latitude",
    longitude: "Longitude",
    removePosition: "Remove position",
    latitudeError: "Enter a number between -90 and 90.",
    longitudeError: "Enter a number between -180 and 180.",
    save: "Save",
    saved: "Saved.",
    discard: "Discard",
    discardQuestion: "Discard your changes?",
    discardHint: "What you changed has not been saved.",
  },

  map: {
    title: "Map",
    world: "Map of the world",
    failed: "The map could not be loaded",
    empty: "No photos with a position yet",
    emptyHint:
      "Photos from phones usually have one. For others, open a photo and set its position with Edit.",
    loading: (count: number) => (count ? `${photos(count)} so far` : "Loading your photos"),
    inView: "In view",
    inViewCount: (count: number) => `${photos(count)} in view`,
    more: (count: number) => `${photos(count)} more. Zoom in to see them.`,
    samePlace: (count: number, first: string) => `${photos(count)} in one place. ${first}`,
    cluster: (count: number) => `${photos(count)}. Zoom in.`,
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
  },
};

const numbers = new Intl.NumberFormat("en-US");
const degrees = new Intl.NumberFormat("en-US", { maximumFractionDigits: 5 });
const sizes = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

function photos(count: number): string {
  return `${number(count)} ${count === 1 ? "photo" : "photos"}`;
}

function files(count: number): string {
  return `${number(count)} ${count === 1 ? "file" : "files"}`;
}

/** Return the first names of a list, and how many more there are. */
function these(names: readonly string[]): string {
  const [first = "", second] = names;
  if (names.length <= 2) return second === undefined ? first : `${first} and ${second}`;
  return `${first} and ${number(names.length - 1)} more`;
}

/** Return a number with thousands separators. */
export function number(value: number): string {
  return numbers.format(value);
}

/** Return a number of bytes in the largest unit that fits, in powers of 1,000. */
export function fileSize(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${sizes.format(bytes / 1000 ** power)} ${units[power] ?? ""}`;
}

/** Return a date-time in ISO 8601 as a day of this browser's time zone. */
export function day(iso: string): string {
  return new Date(iso).toLocaleDateString("en-US", { dateStyle: "long" });
}

const months = new Intl.DateTimeFormat("en-US", {
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});
const days = new Intl.DateTimeFormat("en-US", { dateStyle: "long", timeZone: "UTC" });

/** Return the name of a month such as "2026-11". */
export function monthName(month: string): string {
  return months.format(new Date(`${month}-01T00:00:00Z`));
}

/** Return the day of a photo, which is local to the photo: any browser's time zone is ignored. */
export function localDay(iso: string): string {
  return days.format(new Date(`${iso.slice(0, 10)}T00:00:00Z`));
}

/** Return a local date without a time zone, such as that of a photo, as a day of the week. */
export function fullDay(moment: Date): string {
  return moment.toLocaleDateString("en-US", { timeZone: "UTC", dateStyle: "full" });
}

/** Return the local time of a date without a time zone. */
export function localClock(moment: Date): string {
  return moment.toLocaleTimeString("en-US", { timeZone: "UTC", timeStyle: "medium" });
}

/** Return what a photo is called where it cannot be seen: its description, else file and date. */
export function photoName(
  photo: Pick<Photo, "desc" | "filename" | "filename_orig" | "taken_date" | "upload_date">,
): string {
  const date = localDay(photo.taken_date ?? photo.upload_date);
  return photo.desc || `${photo.filename_orig ?? photo.filename}, ${date}`;
}

function coordinates(latitude: number, longitude: number): string {
  const north = `${degrees.format(Math.abs(latitude))}° ${latitude < 0 ? "S" : "N"}`;
  return `${north}, ${degrees.format(Math.abs(longitude))}° ${longitude < 0 ? "W" : "E"}`;
}
