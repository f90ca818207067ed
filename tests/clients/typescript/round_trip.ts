// What a stranger writes with the types generated from our document.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./tocsin.js";

const [baseUrl = "", password = ""] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl });

const login = await api.POST("/v1/auth/login/access-token", {
  body: { username: "admin@localhost", password },
});
assert(login.data, JSON.stringify(login.error));
const { access_token } = login.data;
api.use({
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${access_token}`);
  },
});

const tool = await api.POST("/v1/integrations", { body: { name: "typescript", kind: "alerts" } });
assert(tool.data && "key" in tool.data, JSON.stringify(tool.error)); // shown this once

const made = await api.POST("/v1/incidents", {
  body: { title: "Disk full", severity: "high", service: "database" },
});
assert(made.data, JSON.stringify(made.error));
const path = { incident_id: made.data.id };
await api.POST("/v1/incidents/{incident_id}/acknowledge", { params: { path } });
const found = await api.GET("/v1/incidents/{incident_id}", { params: { path } });
const incident: components["schemas"]["IncidentRead"] | undefined = found.data;
assert.equal(incident?.title, "Disk full");
assert.equal(incident.status, "acknowledged");

const nothing = await api.GET("/v1/incidents/{incident_id}", {
  params: { path: { incident_id: made.data.id + 1 } },
});
assert.equal(nothing.error?.code, "INCIDENT_NOT_FOUND");
console.log(`read back incident ${incident.id}`);
