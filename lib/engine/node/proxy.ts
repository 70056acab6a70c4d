import type { Agent } from 'node:http'

/** Names of the variables that proxies are read from, in either case. */
const VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy']

/**
 * An agent that goes through the proxy that the environment names for `url` (http: or https:), or null. Proxies for
 * WebSockets make a tunnel (RFC 6455 §4.1), also without TLS.
 */
export async function proxyAgent(url: URL): Promise<Agent | null> {
  if (!VARIABLES.some((name) => process.env[name] ?? process.env[name.toUpperCase()])) return null
  const [{ getProxyForUrl }, { HttpsProxyAgent }] = await Promise.all([
    import('proxy-from-env'),
    import('https-proxy-agent'),
  ])
  const proxy = getProxyForUrl(url.href)
  return proxy === '' ? null : new HttpsProxyAgent(proxy)
}
