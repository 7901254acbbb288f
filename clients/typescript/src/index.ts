/** A typed client of the API: each path, parameter, body and answer is of the OpenAPI document. */
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.js";

export type { components, operations, paths } from "./api.js";
export type Task = components["schemas"]["Task"];
export type Problem = components["schemas"]["Problem"];
export type TasksClient = Client<paths>;

/** Return a client of the service at `baseUrl`, as the holder of `token` or as a stranger. */
export function connect(baseUrl: string, token?: string): TasksClient {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return createClient<paths>({ baseUrl, headers });
}

/** Return the value of If-Match that names this version of a record. */
export function etagOf(record: { version: number }): string {
  return `"${record.version}"`;
}
