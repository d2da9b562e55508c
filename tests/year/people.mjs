// Who lives in the simulated year: three practices, their patients in ten states and four zones, and what happens to
// each, drawn from a seed.
import { DAY, HOUR } from './oracle.mjs';

/** The same numbers for the same seed: mulberry32. */
export function dice(seed) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  next.under = (n) => Math.floor(next() * n);
  next.pick = (list) => list[next.under(list.length)];
  next.chance = (p) => next() < p;
  return next;
}

const eastern = 'America/New_York';
const central = 'America/Chicago';
const mountain = 'America/Denver';
const pacific = 'America/Los_Angeles';

// Area codes of one state and one zone each; also: another zone of the state, where somebody may live of whom the
// gateway is only told the state.
export const places = [
  { npa: '212', state: 'NY', zone: eastern },
  { npa: '305', state: 'FL', zone: eastern, also: central },
  { npa: '203', state: 'CT', zone: eastern },
  { npa: '215', state: 'PA', zone: eastern },
  { npa: '214', state: 'TX', zone: central, also: mountain },
  { npa: '205', state: 'AL', zone: central },
  { npa: '303', state: 'CO', zone: mountain },
  { npa: '801', state: 'UT', zone: mountain },
  { npa: '213', state: 'CA', zone: pacific },
  { npa: '206', state: 'WA', zone: pacific },
];

export const practices = [
  { name: 'Harbor Family Clinic', phone: '(212) 555-0190', sender: '+12125550191', attested: true },
  { name: 'Prairie Health', phone: '(214) 555-0190', sender: '+12145550191', attested: false },
  {
    name: 'Summit Pediatrics',
    phone: '(303) 555-0190',
    sender: '+13035550191',
    attested: true,
    open: 9 * 60,
    close: 18 * 60,
  },
];

/** People of one practice. Every seventh has moved: an area code of one place, an address in another. */
export function makePeople(practice, count, serial, random) {
  const people = [];
  for (let i = 0; i < count; i++) {
    const home = random.pick(places);
    const moved = i % 7 === 6 ? random.pick(places) : home;
    const n = serial.next++;
    serial[home.npa] = (serial[home.npa] ?? -1) + 1;
    const person = {
      practice,
      patient: `PATREF-Y${String(n).padStart(4, '0')}`,
      phone: `+1${home.npa}55501${String(serial[home.npa] % 90).padStart(2, '0')}`,
      places: [home, moved],
      zones: [...new Set([home.zone, moved.zone, moved.also ?? moved.zone])],
      states: [...new Set([home.state, moved.state])],
      address: moved.state,
      consents: [],
      kept: [],
    };
    if (people.length && i % 9 === 8) {
      const other = people[people.length - 1]; // two patients, one phone, and the practice knows
      Object.assign(person, { phone: other.phone, places: other.places, zones: other.zones, states: other.states });
      person.address = other.address;
      person.shares = other;
      person.household = other.household = true;
      other.shared = true;
    }
    people.push(person);
  }
  return people;
}

const week = 7 * DAY;

/** What happens in the year: [{at, what, person, ...}], by time. */
export function plan(people, from, days, random) {
  const acts = [];
  const half = HOUR / 2;
  const act = (at, what, person, more = {}) =>
    acts.push({ at: Math.round(at / half) * half, what, person, ...more });
  for (const person of people) {
    const anywhen = (w) => from + w * week + random() * week;
    for (let w = 0; w * 7 < days - 7; w++) {
      if (random.chance(0.35)) {
        const visit = anywhen(w) + 4 * DAY;
        act(visit - random.pick([3, 2, 2, 1]) * DAY, 'text', person, { category: 'appointment_reminder', until: visit });
        if (random.chance(0.4)) act(visit - 2 * HOUR, 'text', person, { category: 'appointment_confirmation', until: visit });
        if (random.chance(0.1)) act(visit - HOUR, 'text', person, { category: 'room_ready', until: visit + HOUR });
      }
      if (random.chance(0.06)) act(anywhen(w), 'text', person, { category: 'prescription' });
      if (random.chance(0.05)) act(anywhen(w), 'text', person, { category: 'lab_results', phi: random.chance(0.3) });
      if (random.chance(0.05)) act(anywhen(w), 'text', person, { category: 'payment' });
      if (random.chance(0.06)) act(anywhen(w), 'text', person, { category: 'survey' });
      if (random.chance(0.08)) act(anywhen(w), 'text', person, { category: 'promotional' });
      if (random.chance(0.08)) act(anywhen(w), 'call', person);
      if (random.chance(0.05)) act(anywhen(w), 'says', person, { words: `${random.pick(['Ok see you', 'Can I come at 3?'])} ${acts.length}` });
      if (random.chance(0.01)) act(anywhen(w), 'says', person, { words: random.pick(['HELP', 'Ayuda']), help: true });
      if (random.chance(0.012)) act(anywhen(w), 'stop', person, { words: random.pick(['STOP', 'Stop please', 'alto', 'Cancel']) });
      if (random.chance(0.02)) act(anywhen(w), 'start', person);
      if (random.chance(0.004)) act(anywhen(w), 'doubt', person);
      if (random.chance(0.002)) act(anywhen(w), 'wrong', person);
      if (random.chance(0.002)) act(anywhen(w), 'alternative', person);
      if (random.chance(0.003)) act(anywhen(w), 'emergency', person);
      if (random.chance(0.004)) act(anywhen(w), 'verify', person);
      if (random.chance(0.003)) act(anywhen(w), 'end_consent', person);
    }
  }
  for (let d = 5; d < days; d += 5 + random.under(18)) act(from + d * DAY + random() * DAY, random.pick(['restart', 'kill']), null);
  return acts.sort((a, b) => a.at - b.at);
}
