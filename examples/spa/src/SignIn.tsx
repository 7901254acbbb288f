import { useState } from "react";
import { clientOf, wordsOf } from "./client";

export function SignIn({ onToken }: { onToken: (token: string) => void }) {
  const [refusal, setRefusal] = useState("");

  async function submit(form: FormData) {
    const body = { identifier: String(form.get("identifier")), password: String(form.get("password")) };
    const { data, error } = await clientOf().POST("/api/v1/auth/login", { body });
    if (error) setRefusal(wordsOf(error));
    else onToken(data.access_token);
  }

  return (
    <form action={submit}>
      <input name="identifier" placeholder="Username or email" autoComplete="username" required />
      <input name="password" type="password" placeholder="Password" autoComplete="current-password" required />
      <button>Sign in</button>
      {refusal && <p role="alert">{refusal}</p>}
    </form>
  );
}
