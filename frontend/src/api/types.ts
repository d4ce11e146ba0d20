/** Names for the API's shapes that the web app uses. */
import type { components, operations } from "./schema";

type Schemas = components["schemas"];

/** A photo of a list or alone; it has the URLs that were requested. */
export type Photo = Schemas["ListedPhoto"];
export type PhotoPage = Schemas["PhotoPage"];
export type User = Schemas["User"];
export type BatchRequest = Schemas["BatchRequest"];
export type BatchResult = Schemas["BatchDone"];
export type ListQuery = NonNullable<operations["listPhotos"]["parameters"]["query"]>;
