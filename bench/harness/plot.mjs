// Plots as SVG, readable on a light and on a dark page.

import { digits } from './report.mjs';
import { median } from './measure.mjs';

const OURS = '#2f7d4f';
const COLOURS = ['#b4552d', '#3b6ea5', '#8a5a9e', '#7a7a30', '#5c8a8a'];
const STYLE = '<style>text{font:12px system-ui,sans-serif;fill:#767676}.title{font-weight:600}.axis{stroke:#999;stroke-width:1}</style>';

const escape = (text) => String(text).replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);

const svg = (width, height, parts) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${STYLE}\n${parts.join('\n')}\n</svg>\n`;

/** The medians of all subjects of a result, one below the other. */
export function bars({ what, unit, samples, ours }) {
  const values = Object.entries(samples).map(([name, list]) => [name, median(list)]);
  const longest = Math.max(...values.map(([, value]) => value)) || 1;
  const parts = [`<text class="title" x="8" y="18">${escape(what)}, ${escape(unit)}</text>`];
  values.forEach(([name, value], index) => {
    const y = 30 + index * 24;
    const length = Math.max(1, (value / longest) * 330);
    parts.push(
      `<text x="192" y="${y + 13}" text-anchor="end">${escape(name)}</text>`,
      `<rect x="200" y="${y}" width="${length.toFixed(1)}" height="17" fill="${name === ours ? OURS : '#a0a0a0'}"/>`,
      `<text x="${(206 + length).toFixed(1)}" y="${y + 13}">${digits(value)}</text>`,
    );
  });
  return svg(620, 40 + values.length * 24, parts);
}

/**
 * Lines over a common x, from zero.
 * @param {{ title: string, x: string, y: string, series: Record<string, [number, number][]> }} plot
 */
export function lines({ title, x, y, series }) {
  const [left, right, top, bottom] = [64, 560, 54, 290];
  const points = Object.values(series).flat();
  const [farthest, highest] = [0, 1].map((place) => Math.max(...points.map((point) => point[place])) || 1);
  const at = ([px, py]) => [left + (px / farthest) * (right - left), bottom - (py / highest) * (bottom - top)];
  const parts = [
    `<text class="title" x="8" y="18">${escape(title)}</text>`,
    `<path class="axis" fill="none" d="M${left} ${top}V${bottom}H${right}"/>`,
    `<text x="${right}" y="${bottom + 32}" text-anchor="end">${escape(x)}</text>`,
    `<text x="${left}" y="${top - 4}">${escape(y)}</text>`,
  ];
  for (const part of [0, 0.5, 1]) {
    const [px, py] = at([farthest * part, highest * part]);
    parts.push(
      `<text x="${px}" y="${bottom + 16}" text-anchor="middle">${digits(farthest * part)}</text>`,
      `<text x="${left - 6}" y="${py + 4}" text-anchor="end">${digits(highest * part)}</text>`,
    );
  }
  Object.entries(series).forEach(([name, list], index) => {
    const colour = name === 'rollcall' ? OURS : COLOURS[index % COLOURS.length];
    const places = list.map(at).map(([px, py]) => [px.toFixed(1), py.toFixed(1)]);
    parts.push(
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.map((place) => place.join(',')).join(' ')}"/>`,
      ...places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="3" fill="${colour}"/>`),
      `<text x="${left + 60 + index * 90}" y="${top - 20}" style="fill:${colour}">${escape(name)}</text>`,
    );
  });
  return svg(620, 330, parts);
}
