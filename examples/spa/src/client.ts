// The typed client: paths, bodies and answers are checked against docs/openapi.json.
import createClient from "openapi-fetch";
import type { components, paths } from "./api";

export type Task = components["schemas"]["Task"];
export type Problem = components["schemas"]["Problem"];
export type Client = ReturnType<typeof clientOf>;

const baseUrl: string = import.meta.env.VITE_API ?? "http://localhost:8000";

export function clientOf(token?: string) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  return createClient<paths>({ baseUrl, headers });
}

/** Return what a person reads of a problem (RFC 9457): its detail, and each fault. */
export function wordsOf(problem: Problem): string {
  return [problem.detail, ...(problem.errors ?? []).map((fault) => fault.detail)].join(" ");
}
