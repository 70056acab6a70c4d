import type { Agent } from 'node:http'

/** Names of the variables that proxies are read from, in either case. */
const VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy']

/**
 * An agent that goes through the proxy that the environment names for `url` (http: or https:), or null. Proxies for
 * WebSockets make a tunnel (RFC 6455 §4.1), also without TLS. Throws for a proxy of another kind.
 */
export async function proxyAgent(url: URL, signal: AbortSignal): Promise<Agent | null> {
  if (!VARIABLES.some((name) => process.env[name] ?? process.env[name.toUpperCase()])) return null
  const [{ getProxyForUrl }, { HttpsProxyAgent }] = await Promise.all([
    import('proxy-from-env'),
    import('https-proxy-agent'),
  ])
  const proxy = getProxyForUrl(url.href)
  if (proxy === '') return null
  if (!/^https?:\/\//i.test(proxy))
    throw new Error(`Proxies are http:// or https://, not ${proxy.split('//', 1).join()}`)
  // The signal is for the proxy's own connection, which the request would leave alone while the tunnel is made.
  return new HttpsProxyAgent(proxy, { signal })
}
