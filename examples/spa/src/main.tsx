import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { clientOf, type Client } from "./client";
import { SignIn } from "./SignIn";
import { Tasks } from "./Tasks";

function App() {
  // The token lives in memory alone: a reload signs out, and no script finds a token in a storage.
  const [client, setClient] = useState<Client>();
  return client ? <Tasks client={client} /> : <SignIn onToken={(token) => setClient(clientOf(token))} />;
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
