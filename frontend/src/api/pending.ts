/**
 * Routes and fields that the API will have soon, written by hand until the generated types have
 * them. Delete this file then, and use `paths` in client.ts.
 */
import type { components, paths } from "./schema";

export interface PendingPhoto {
  previewSrc: string;
  thumbhash: string | null;
  favorite: boolean;
  albums: string[];
  trashed_date: string | null;
  sha256: string | null;
}

export type Photo = Omit<components["schemas"]["Photo"], keyof PendingPhoto> & PendingPhoto;
export type User = components["schemas"]["User"] & { trash_count?: number };

interface Json<Body> {
  200: { headers: Record<string, unknown>; content: { "application/json": Body } };
}
interface Post<Request, Body> {
  post: {
    parameters: { query?: never; header?: never; path?: never; cookie?: never };
    requestBody: { content: { "application/json": Request } };
    responses: Json<Body>;
  };
}
interface PhotoAction {
  post: {
    parameters: { query?: never; header?: never; path: { photo_id: string }; cookie?: never };
    requestBody?: never;
    responses: Json<{ ok: boolean; photo: Photo }>;
  };
}
interface Get<Query, Body> {
  get: {
    parameters: { query?: Query; header?: never; path?: never; cookie?: never };
    requestBody?: never;
    responses: Json<Body>;
  };
}

export interface ListQuery {
  limit?: number;
  cursor?: string;
  sort?: "taken" | "uploaded";
  order?: "desc" | "asc";
  q?: string;
  tag?: string;
  from?: string;
  to?: string;
  bbox?: string;
  favorite?: "true";
  album?: string;
  trashed?: "true";
  urls?: string;
}

export interface PhotoPage {
  ok: boolean;
  photos: Photo[];
  nextCursor: string | null;
}

export interface BatchRequest {
  ids: string[];
  action: "trash" | "restore" | "delete" | "favorite" | "unfavorite" | "tag" | "untag";
  tags?: string;
}

export interface BatchResult {
  ok: boolean;
  done: string[];
  failed: { photo_id: string; Code: string; Message: string }[];
  remaining: string[];
}

interface PendingPaths {
  "/photos": Get<ListQuery, PhotoPage>;
  "/photos/timeline": Get<
    never,
    { ok: boolean; photo_count: number; months: { month: string; count: number }[] }
  >;
  "/photos/known": Post<
    { sha256: string[] },
    { ok: boolean; known: Record<string, { photo_id: string; trashed: boolean }> }
  >;
  "/photos/batch": Post<BatchRequest, BatchResult>;
  "/photos/{photo_id}/trash": PhotoAction;
  "/photos/{photo_id}/restore": PhotoAction;
  "/photos/trash": {
    delete: {
      parameters: { query?: never; header?: never; path?: never; cookie?: never };
      requestBody?: never;
      responses: Json<{ ok?: boolean; remaining?: number }>;
    };
  };
}

export type Paths = Omit<paths, keyof PendingPaths> & PendingPaths;
