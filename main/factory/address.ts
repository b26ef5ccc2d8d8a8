// Which addresses lie inside a house: loopback, private, link-local and the like (IANA's special-purpose registries for
// IPv4 and IPv6, RFC 6890). What a name means is looked up where the connection is made, so that a name server cannot
// say one thing to the check and another to the connection.
import { lookup } from 'node:dns'
import type { LookupAddress, LookupOptions } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import type { LookupFunction } from 'node:net'

const inside = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.168.0.0', 16],
  ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) inside.addSubnet(net, bits, 'ipv4')
// NAT64 and 6to4 wrap an IPv4 address that this list would not see.
for (const [net, bits] of [['::', 127], ['fc00::', 7], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['2002::', 16], ['2001:db8::', 32], ['100::', 64]] as const) inside.addSubnet(net, bits, 'ipv6')

/** True for an address that no public server has; also for what is no address at all. */
export function isInside(address: string): boolean {
  const family = isIP(address)
  return family === 0 || inside.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** Code of the error by which a connection to an address inside is refused. */
export const insideCode = 'EINSIDE'

/** `dns.lookup` for connections that must leave the house; `resolve` is for the tests. */
export function lookupOutside(resolve: typeof lookup = lookup): LookupFunction {
  return (host, options: LookupOptions, answer) => {
    resolve(host, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const [first] = addresses ?? []
      if (error !== null) return answer(error, '', 0)
      const within = addresses.find(({ address }) => isInside(address))
      if (first === undefined || within !== undefined) return answer(Object.assign(new Error(within?.address ?? 'no address'), { code: insideCode }), '', 0)
      if (options.all === true) answer(null, addresses)
      else answer(null, first.address, first.family)
    })
  }
}

/** The host of an address without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}
