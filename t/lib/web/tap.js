'use strict'

// TAP, as the other tests print it: prove reads it. A test that throws is one that
// failed, with what was thrown and what the page said then beside it.

const assert = require('node:assert/strict')

let count = 0
let failed = 0
let depth = null;	// of the subtest that runs: { count, failed }
// For work on one of them: TEST_ONLY='second tab' prove t/web/30-sync.t
const only = process.env.TEST_ONLY && new RegExp(process.env.TEST_ONLY)
const looks = [];	// what to say of the state of things when something fails

const pad = () => (depth ? '    ' : '')

function diag(text) {
  for (const line of String(text).split('\n')) {
    process.stderr.write(`# ${line}\n`)
  }
}

function report(good, name) {
  const n = depth ? ++depth.count : ++count
  if (!good) {
    if (depth) depth.failed++
    else failed++
  }
  process.stdout.write(`${pad()}${good ? 'ok' : 'not ok'} ${n} - ${name.replace(/#/g, '\\#')}\n`)
  return good
}

function ok(value, name) {
  return report(!!value, name) || (diag(`failed: ${name}`), false)
}

function is(have, want, name) {
  try {
    assert.deepEqual(have, want)
    return report(true, name)
  } catch {
    report(false, name)
    diag(`failed: ${name}\n  have ${JSON.stringify(have)}\n  want ${JSON.stringify(want)}`)
    return false
  }
}

function like(have, pattern, name) {
  return report(pattern.test(have), name) || (diag(`failed: ${name}\n  have ${have}\n  want ${pattern}`), false)
}

async function look() {
  for (const one of looks) {
    try {
      diag(await one())
    } catch (error) {
      diag(`(cannot look: ${error.message})`)
    }
  }
}

async function subtest(name, run) {
  if (only && !only.test(name)) return true
  depth = { count: 0, failed: 0 }
  try {
    await run()
    if (depth.count === 0) ok(false, `${name}: it tests something`)
  } catch (error) {
    report(false, `${name}: it goes to its end`)
    diag(error.stack ?? error)
  }
  if (depth.failed) await look()
  process.stdout.write(`    1..${depth.count}\n`)
  const good = !depth.failed
  depth = null
  return report(good, name)
}

function skipAll(why) {
  process.stdout.write(`1..0 # SKIP ${why}\n`)
  process.exit(0)
}

function done() {
  process.stdout.write(`1..${count}\n`)
  process.exitCode = failed ? 1 : 0
}

module.exports = { diag, done, is, like, looks, ok, skipAll, subtest }
