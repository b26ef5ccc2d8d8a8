// Pictures for the documentation, a third of their size: PNG (W3C Recommendation, third edition) with a palette of the 256
// colours that occur most, instead of eight bits a channel. A window has few colours and many blends of two at the edges of
// letters, so nobody sees the difference; what surprised us is that no filter beats all filters on such pictures.
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const coloursMax = 256
const pixelsMax = 16_000_000

/**
 * The picture with a palette. Takes what a browser's screenshot is (8 bits a channel, RGB or RGBA without transparency, not
 * interlaced) and throws on anything else.
 * @param {Uint8Array} png
 */
export function smallPng(png) {
  const { width, height, channels, data } = read(Buffer.from(png))
  const pixels = unfiltered(data, width, height, channels)
  const { palette, indexOf } = paletteOf(pixels, channels)
  const rows = Buffer.alloc(height * (width + 1))
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) rows[y * (width + 1) + 1 + x] = indexOf((pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 3, 0, 0, 0], 8)
  return Buffer.concat([signature, chunk('IHDR', head), chunk('PLTE', palette), chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })), chunk('IEND', Buffer.alloc(0))])
}

function read(png) {
  if (!png.subarray(0, 8).equals(signature)) throw new Error('this is no PNG')
  let head
  const data = []
  for (let at = 8; at + 12 <= png.length;) {
    const bytes = png.readUInt32BE(at)
    const kind = png.toString('latin1', at + 4, at + 8)
    const body = png.subarray(at + 8, at + 8 + bytes)
    if (kind === 'IHDR') head = body
    if (kind === 'IDAT') data.push(body)
    at += bytes + 12
  }
  if (head === undefined) throw new Error('this PNG has no header')
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)]
  const channels = { 2: 3, 6: 4 }[head[9]]
  if (head[8] !== 8 || channels === undefined || head[12] !== 0 || width * height > pixelsMax) throw new Error('this PNG is no screenshot of a browser')
  return { width, height, channels, data: inflateSync(Buffer.concat(data), { maxOutputLength: height * (width * channels + 1) }) }
}

/** Undoes the filter of each row (section 9 of the specification). */
function unfiltered(data, width, height, channels) {
  const stride = width * channels
  const pixels = Buffer.alloc(stride * height)
  for (let y = 0; y < height; y++) {
    const filter = data[y * (stride + 1)]
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? pixels[y * stride + x - channels] : 0
      const up = y > 0 ? pixels[(y - 1) * stride + x] : 0
      const corner = x >= channels && y > 0 ? pixels[(y - 1) * stride + x - channels] : 0
      pixels[y * stride + x] = data[y * (stride + 1) + 1 + x] + predicted(filter, left, up, corner)
    }
  }
  return pixels
}

function predicted(filter, left, up, corner) {
  if (filter === 0) return 0
  if (filter === 1) return left
  if (filter === 2) return up
  if (filter === 3) return (left + up) >> 1
  const guess = left + up - corner
  const [byLeft, byUp, byCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  if (byLeft <= byUp && byLeft <= byCorner) return left
  return byUp <= byCorner ? up : corner
}

/** The colours that occur most, and for each colour the nearest of them. */
function paletteOf(pixels, channels) {
  const counts = new Map()
  for (let at = 0; at < pixels.length; at += channels) {
    const colour = (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2]
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const kept = [...counts].sort((one, other) => other[1] - one[1]).slice(0, coloursMax).map(([colour]) => colour)
  const palette = Buffer.from(kept.flatMap((colour) => [colour >> 16, (colour >> 8) & 0xff, colour & 0xff]))
  const found = new Map(kept.map((colour, index) => [colour, index]))
  const indexOf = (colour) => {
    const known = found.get(colour)
    if (known !== undefined) return known
    const index = nearest(palette, colour >> 16, (colour >> 8) & 0xff, colour & 0xff)
    found.set(colour, index)
    return index
  }
  return { palette, indexOf }
}

function nearest(palette, red, green, blue) {
  let best = 0
  let least = Infinity
  for (let at = 0; at < palette.length; at += 3) {
    const far = (palette[at] - red) ** 2 + (palette[at + 1] - green) ** 2 + (palette[at + 2] - blue) ** 2
    if (far < least) [best, least] = [at / 3, far]
  }
  return best
}

function chunk(kind, body) {
  const whole = Buffer.alloc(body.length + 12)
  whole.writeUInt32BE(body.length, 0)
  whole.write(kind, 4, 'latin1')
  whole.set(body, 8)
  whole.writeUInt32BE(crc32(whole.subarray(4, body.length + 8)), body.length + 8)
  return whole
}
