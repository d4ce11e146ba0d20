import { localTime } from "@/photos/dates";

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
    unnamed: "Photo",
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

/** Return a local date without a time zone, such as that of a photo, as a day. */
export function localDay(moment: Date): string {
  return moment.toLocaleDateString("en-US", { timeZone: "UTC", dateStyle: "full" });
}

/** Return the local time of a date without a time zone. */
export function localClock(moment: Date): string {
  return moment.toLocaleTimeString("en-US", { timeZone: "UTC", timeStyle: "medium" });
}

/** Return what a photo is called where it cannot be seen: its description, else file and date. */
export function photoName(photo: {
  desc: string;
  filename_orig: string | null;
  taken_date: string | null;
}): string {
  if (photo.desc) return photo.desc;
  const taken = photo.taken_date ? localTime(photo.taken_date) : null;
  const parts = [photo.filename_orig, taken && localDay(taken.moment)].filter(Boolean);
  return parts.join(", ") || text.viewer.unnamed;
}

function coordinates(latitude: number, longitude: number): string {
  const north = `${degrees.format(Math.abs(latitude))}° ${latitude < 0 ? "S" : "N"}`;
  return `${north}, ${degrees.format(Math.abs(longitude))}° ${longitude < 0 ? "W" : "E"}`;
}
