import type { User } from 'rollcall';

/** How many simulated people there are. */
export const PEOPLE = 1000;
/** How many of them are here at a time: Chrome opens at most 255 sockets, Firefox 200, for all pages together. */
export const AT_ONCE = 180;

const FIRST = [
  'Ada', 'Ali', 'Ana', 'Aya', 'Ben', 'Bo', 'Cleo', 'Dan', 'Dora', 'Eli', 'Ema', 'Eve', 'Finn', 'Gia', 'Hal', 'Ida', 'Ines', 'Ivo', 'Jan', 'Joy',
  'Kai', 'Kim', 'Lea', 'Leo', 'Lin', 'Lou', 'Mae', 'Max', 'Mia', 'Nia', 'Noa', 'Omar', 'Pia', 'Raj', 'Rosa', 'Sam', 'Tea', 'Uma', 'Yuki', 'Zoe',
];
const LAST = [
  'Adeyemi', 'Baker', 'Costa', 'Dubois', 'Ek', 'Fischer', 'Gupta', 'Hassan', 'Ito', 'Jensen', 'Kaya', 'Lopez', 'Mori',
  'Novak', 'Okafor', 'Park', 'Quinn', 'Rossi', 'Silva', 'Tan', 'Usman', 'Vega', 'Wong', 'Yilmaz', 'Zhou',
];

export interface Simulated {
  id: string;
  name: string;
}

/** The same thousand on every page. */
export const simulated: readonly Simulated[] = Array.from({ length: PEOPLE }, (_, at) => ({
  id: `simulated-${String(at + 1).padStart(4, '0')}`,
  name: `${FIRST[at % FIRST.length]} ${LAST[Math.floor(at / FIRST.length) % LAST.length]}`,
}));

/** Whether somebody is one of them, as they said of themselves when they came. */
export const isSimulated = (user: User): boolean => user.simulated === true;
