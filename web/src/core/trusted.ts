// The one Trusted Types policy of the client (Content-Security-Policy: trusted-types palabre). It lets pass addresses of our own scripts only:
// the service worker and the built files. Everything else that would run as code throws.

const allowed = /^\/(sw\.js|assets\/[\w.-]+\.js)$/

interface Policy { createScriptURL(url: string): string }
interface PolicyFactory { createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy }

function check(url: string): string {
  const parsed = new URL(url, location.origin)
  if (parsed.origin !== location.origin || !(allowed.test(parsed.pathname) || import.meta.env.DEV)) throw new TypeError(`not a script of ours: ${url}`)
  return parsed.href
}

const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes
const policy: Policy = factory?.createPolicy('palabre', { createScriptURL: check }) ?? { createScriptURL: check }

/** scriptURL returns the address of a script of ours in the form that Worker and serviceWorker.register take; it throws for any other. */
export function scriptURL(url: string): string {
  return policy.createScriptURL(url)
}
