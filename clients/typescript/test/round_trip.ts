/** A task is created, found, changed, protected from a stale change, and deleted. */
import assert from "node:assert/strict";
import { connect, etagOf } from "../src/index.js";

const { API = "http://localhost:8000", TOKEN = "" } = process.env;
const client = connect(API, TOKEN);
const header = { "Idempotency-Key": crypto.randomUUID() };
const body = { title: "Pick plums", labels: ["garden"] };

const created = await client.POST("/api/v1/tasks", { body, params: { header } });
assert(created.data, created.error?.detail);
const repeated = await client.POST("/api/v1/tasks", { body, params: { header } });
assert.deepEqual(repeated.data, created.data);

const found = await client.GET("/api/v1/tasks", { params: { query: { label: ["garden"] } } });
assert.deepEqual(found.data?.items.map((task) => task.id), [created.data.id]);

const params = { path: { task_id: created.data.id }, header: { "If-Match": etagOf(created.data) } };
const changed = await client.PATCH("/api/v1/tasks/{task_id}", { params, body: { status: "done" } });
assert.equal(changed.data?.version, 2);
const stale = await client.PATCH("/api/v1/tasks/{task_id}", { params, body: { status: "todo" } });
assert.equal(stale.error?.type, "/problems/precondition-failed");

const path = { task_id: created.data.id };
await client.DELETE("/api/v1/tasks/{task_id}", { params: { path } });
const gone = await client.GET("/api/v1/tasks/{task_id}", { params: { path } });
assert.equal(gone.response.status, 404);
console.log("round trip: ok");
