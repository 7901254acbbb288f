import { useEffect, useState } from "react";
import { wordsOf, type Client, type Problem, type Task } from "./client";

export function Tasks({ client }: { client: Client }) {
  const [tasks, setTasks] = useState<Task[]>([]);
  const [refusal, setRefusal] = useState("");

  function show(problem: Problem | undefined) {
    setRefusal(problem ? wordsOf(problem) : "");
  }

  function replace(changed: Task) {
    setTasks((known) => known.map((task) => (task.id === changed.id ? changed : task)));
  }

  useEffect(() => {
    const query = { sort: "-created_at", limit: 50 } as const;
    client.GET("/api/v1/tasks", { params: { query } }).then(({ data, error }) => {
      if (data) setTasks(data.items);
      show(error);
    });
  }, [client]);

  async function add(form: FormData) {
    const body = { title: String(form.get("title")) };
    // The key makes a retry safe: a request that is sent twice creates one task.
    const header = { "Idempotency-Key": crypto.randomUUID() };
    const { data, error } = await client.POST("/api/v1/tasks", { body, params: { header } });
    if (data) setTasks((known) => [data, ...known]);
    show(error);
  }

  async function tick(task: Task) {
    const { data, error, response } = await client.PATCH("/api/v1/tasks/{task_id}", {
      params: { path: { task_id: task.id }, header: { "If-Match": `"${task.version}"` } },
      body: { status: task.status === "done" ? "todo" : "done" },
    });
    if (data) replace(data);
    show(error);
    if (response.status === 412) await resolve(task);
  }

  /** Show the version that somebody else has stored: the person decides again. */
  async function resolve(stale: Task) {
    const path = { task_id: stale.id };
    const { data } = await client.GET("/api/v1/tasks/{task_id}", { params: { path } });
    if (!data) return;
    replace(data);
    setRefusal(`"${stale.title}" was changed in the meantime. This is the current version.`);
  }

  return (
    <>
      <form action={add}>
        <input name="title" placeholder="What is to be done?" maxLength={200} required />
        <button>Add</button>
      </form>
      {refusal && <p role="alert">{refusal}</p>}
      <ul>
        {tasks.map((task) => (
          <li key={task.id}>
            <label className={task.status}>
              <input type="checkbox" checked={task.status === "done"} onChange={() => tick(task)} /> {task.title}
            </label>
          </li>
        ))}
      </ul>
    </>
  );
}
