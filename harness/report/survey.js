'use strict';
// Draws what many runs came to: the JSON of explore, of sweep or of ci/mutants.
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);
const make = (tag, cls, ...content) => {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  node.append(...content);
  return node;
};
const count = (n) => Math.round(n).toLocaleString('en');
const part = (title, ...content) => $('main').append(make('h2', '', title), ...content);
function figures(all) {
  const row = make('div', 'figures');
  for (const [name, value] of all) row.append(make('div', '', make('b', '', value), make('span', '', name)));
  $('main').append(row);
}
// Columns: [title, what of a row, how it is set].
function table(columns, rows, classOf = () => '') {
  const head = make('tr'), body = make('tbody');
  for (const [title, , cls] of columns) head.append(make('th', cls || '', title));
  for (const row of rows) {
    const line = make('tr', classOf(row));
    for (const [, of, cls] of columns) line.append(make('td', cls || '', of(row)));
    body.append(line);
  }
  return make('table', '', make('thead', '', head), body);
}
function meter(value, most) {
  const bar = make('i');
  bar.style.width = (most > 0 ? 100 * value / most : 0) + '%';
  return make('div', '', bar);
}
function probes(title, all) {
  const most = Math.max(1, ...all.map((p) => p[1]));
  const rows = [...all].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const list = table([['', (p) => p[0]], ['', (p) => meter(p[1], most), 'meter'], ['runs', (p) => p[1] ? count(p[1]) : 'never', 'n']], rows, (p) => p[1] ? '' : 'never');
  part(title, make('div', '', list));
}
function curve(points) {
  const space = 'http://www.w3.org/2000/svg', svg = document.createElementNS(space, 'svg');
  const [w, h, left, low] = [720, 190, 54, 24];
  const most = Math.max(...points.map((p) => p[1]), 1), runs = Math.max(points[points.length - 1][0], 2);
  const x = (n) => left + (w - left - 8) * n / runs, y = (n) => h - low - (h - low - 12) * n / most;
  const add = (tag, attributes, text) => {
    const node = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    svg.append(node);
  };
  svg.setAttribute('viewBox', `0 0 ${w} ${h}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `Behaviours over runs: ${count(most)} after ${count(runs)}`);
  for (const f of [0, 0.5, 1]) {
    add('line', {x1: left, x2: w - 8, y1: y(f * most), y2: y(f * most)});
    add('text', {x: left - 6, y: y(f * most) + 4, 'text-anchor': 'end'}, count(f * most));
    add('text', {x: x(f * runs), y: h - 6, 'text-anchor': f === 1 ? 'end' : f ? 'middle' : 'start'}, count(f * runs) + (f === 1 ? ' runs' : ''));
  }
  add('path', {d: points.map((p, i) => (i ? 'L' : 'M') + x(p[0]).toFixed(1) + ' ' + y(p[1]).toFixed(1)).join('')});
  return svg;
}
function failure() {
  const first = data.first_failure;
  if (!first) return;
  const where = [first.law, first.kind, first.where].filter((w) => w !== undefined).join(' \u00b7 ');
  part('The first failure', make('p', '', where), make('p', '', first.message));
  if (first.operations !== undefined) {
    $('main').append(make('p', 'meta', `reduced to ${first.operations} operations and ${first.decisions} decisions of ${first.decisions_before}`));
  }
  if (first.page) {
    const link = make('a', '', 'its picture');
    link.href = './' + encodeURIComponent(first.page);
    $('main').append(make('p', '', link));
  }
  if (first.replay) {
    $('main').append(make('pre', 'mono', first.replay));
    const page = first.replay.replace(/^oj-harness (run|replay)/, 'oj-harness report') + ' --out page.html';
    $('main').append(make('p', 'meta', 'its picture:'), make('pre', 'mono', page));
  }
}
function explored() {
  figures([['runs', count(data.runs)], ['a second', count(data.runs_per_second)], ['steps', count(data.steps)], ['decisions', count(data.decisions)],
    ['behaviours', count(data.behaviours)], ['last new one in run', count(data.last_new_behaviour)], ['broke a law', count(data.violations)], ['differed the second time', count(data.mismatches)]]);
  const laws = Object.entries(data.laws);
  if (laws.length) {
    part('Laws broken', table([['law', (l) => l[0]], ['runs', (l) => count(l[1]), 'n'], ['first by seed', (l) => String(data.first_seeds[l[0]]), 'n']], laws, () => 'bad'));
  }
  failure();
  if (data.growth.length > 1) part('Behaviours over runs', curve(data.growth));
  const all = Object.entries(data.probes), never = all.filter((p) => !p[1]);
  part(`Probes: ${all.length - never.length} of ${all.length} hit`);
  if (never.length) $('main').append(make('p', '', 'never: ' + never.map((p) => p[0]).join(', ')));
  probes('What happened', all.filter((p) => !p[0].startsWith('site ')));
  probes('Where something else than usual was chosen', all.filter((p) => p[0].startsWith('site ')).map(([n, v]) => [n.slice(5), v]));
}
function swept() {
  figures([['points', count(data.points)], ['covered', count(data.covered)], ['violations', count(data.violations)], ['steps of the bases', count(data.steps)], ['seconds', data.seconds.toFixed(1)]]);
  if (data.wrong) part('A base went wrong', make('p', '', data.wrong));
  failure();
  const bad = (k) => k.converged !== k.judged_by_L6 || k.bytes_lost > 0 || k.broke_laws > 0;
  const columns = [['strike', (k) => k.first ? make('div', '', k.kind, make('div', 'meta', k.first)) : k.kind], ['points', (k) => count(k.points), 'n'],
    ['covered', (k) => count(k.covered), 'n'], ['', (k) => meter(k.covered, k.points), 'meter'], ['converged', (k) => k.judged_by_L6 ? `${count(k.converged)} of ${count(k.judged_by_L6)}` : '\u2013', 'n'],
    ['bytes lost', (k) => count(k.bytes_lost), 'n'], ['broke a law', (k) => count(k.broke_laws), 'n']];
  part('Points', table(columns, data.kinds, (k) => bad(k) ? 'bad' : ''));
}
function hunted() {
  const all = data.mutants, found = all.filter((m) => m.runs !== null), unseen = all.filter((m) => m.fifo === 'not found');
  const median = (key) => {
    const sorted = found.map((m) => m[key]).filter((v) => typeof v === 'number').sort((a, b) => a - b);
    return sorted.length ? count(sorted[Math.floor(sorted.length / 2)]) : '\u2013';
  };
  figures([['planted', count(all.length)], ['found', count(found.length)], ['not in FIFO order', count(unseen.length)], ['runs to find one (median)', median('runs')],
    ['operations left (median)', median('operations')], ['decisions left (median)', median('decisions')], ['ms to reduce (median)', median('ms')]]);
  const laws = {};
  for (const m of all) {
    const row = laws[m.breaks] = laws[m.breaks] || {law: m.breaks, planted: 0, found: 0};
    row.planted++;
    if (m.runs !== null) row.found++;
  }
  const number = (text) => Number(text.replace(/\D/g, '')) || 99;
  part('By the law that they break', table([['law', (l) => l.law], ['planted', (l) => count(l.planted), 'n'], ['found', (l) => count(l.found), 'n'], ['', (l) => meter(l.found, l.planted), 'meter']],
    Object.values(laws).sort((a, b) => number(a.law) - number(b.law)), (l) => l.found < l.planted ? 'bad' : ''));
  const most = Math.log1p(Math.max(1, ...found.map((m) => m.runs)));
  const cell = (v) => typeof v === 'number' ? count(v) : v === null ? '\u2013' : v;
  const list = table([['', (m) => make('div', '', m.name, make('div', 'meta', m.about))], ['breaks', (m) => m.breaks, 'w'], ['found by', (m) => m.found_by, 'w'],
    ['runs', (m) => cell(m.runs), 'n'], ['', (m) => meter(m.runs === null ? 0 : Math.log1p(m.runs), most), 'meter'], ['operations', (m) => cell(m.operations), 'n'],
    ['decisions', (m) => cell(m.decisions), 'n'], ['ms', (m) => cell(m.ms), 'n'], ['in FIFO order', (m) => m.fifo, 'w']], all, (m) => m.runs === null ? 'bad' : '');
  list.classList.add('wide');
  part('Planted bugs', list, make('p', 'meta', 'The bars are logarithmic.'));
}

const kind = data.mutants ? 'mutants' : data.kinds ? 'sweep' : 'exploration';
const pass = kind === 'mutants' ? !data.failed : !data.violations && !data.mismatches;
$('name').textContent = kind === 'mutants' ? 'planted bugs' : kind + ' of ' + data.scenario.split('/').pop().replace(/\.toml$/, '');
document.title = $('name').textContent;
$('about').textContent = data.about;
$('verdict').textContent = kind === 'mutants' ? (pass ? 'all found' : 'not all found') : pass ? 'all laws hold' : 'broken';
$('verdict').classList.add(pass ? 'pass' : 'fail');
$('meta').textContent = [data.scenario, data.seed === undefined ? '' : 'from seed ' + data.seed, data.digest ? 'digest ' + data.digest : ''].filter(Boolean).join(' \u00b7 ');
({mutants: hunted, sweep: swept, exploration: explored})[kind]();
