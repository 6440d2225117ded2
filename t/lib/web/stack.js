'use strict'

// The real stack (tools/stack) with the simulated partner, as the browser tests steer
// it: the same as Lockstep::Stack of the other tests.

const { execFileSync, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const root = path.resolve(__dirname, '../../..')
const slow = Number(process.env.TEST_SLOW || 1)
const build = process.env.LOCKSTEP_BUILD || path.join(root, 'build')

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** The first true answer of test, or an error that names what was waited for. */
async function waitFor(what, test, seconds = 20) {
  const end = Date.now() + seconds * 1000 * slow
  for (;;) {
    // It is looked at once more after the end: this process may have stood still.
    const late = Date.now() >= end
    const result = await test()
    if (result) return result
    if (late) throw new Error(`waited in vain for ${what}`)
    await sleep(50)
  }
}

const running = new Set()

// What a test leaves up when it breaks off.
process.on('exit', () => {
  for (const stack of running) {
    spawnSync(path.join(root, 'tools/stack'), ['down', '--dir', stack.dir, '--purge'], { timeout: 60_000 })
    fs.rmSync(stack.dir, { recursive: true, force: true })
  }
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130))

class Stack {
  /** how: { conf: {KEY: VALUE}, latency: ms } */
  static start(how = {}) {
    const stack = new Stack()
    stack.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-'))
    const conf = { 'schedule.sync': '', 'db.timeout': '10s', ...how.conf }
    const options = Object.entries(conf).flatMap(([key, value]) => ['--conf', `${key}=${value}`])
    if (how.latency !== undefined) options.push('--latency', String(how.latency))
    running.add(stack)
    stack.tool('up', '--pages', ...options, '--', '--seed', '1')
    return stack
  }

  tool(verb, ...rest) {
    const part = rest.length && /^\w/.test(rest[0]) ? [rest.shift()] : []
    const ran = spawnSync(path.join(root, 'tools/stack'), [verb, ...part, '--dir', this.dir, ...rest], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 600_000,
    })
    if (ran.status !== 0) throw new Error(`tools/stack ${verb}: ${ran.stderr}`)
    for (const match of ran.stdout.matchAll(/^([A-Z_]+)=(.*)$/gm)) this[match[1]] = match[2]
    return ran
  }

  stopPart(part, ...how) { return this.tool('stop', part, ...how); }
  startPart(part) { return this.tool('start', part); }

  /** Ends it; what died of itself, and so should not have, comes back. */
  stop() {
    running.delete(this)
    this.tool('down')
    const crash = /"master: worker died".* by=(?:signal status=(?!9\b)\d|exit status=[1-9])/
    const died = this.log(crash)
    this.tool('down', '--purge')
    return died
  }

  log(pattern) {
    return fs.readFileSync(this.LOG, 'utf8').split('\n').filter((line) => pattern.test(line))
  }

  // The partner.

  sim(method, where, body) { return this.steer(this.PARTNER_URL, method, where, body); }

  async steer(url, method, where, body) {
    const answer = await fetch(`${url}/_sim${where}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} /_sim${where}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }

  account(user, what) { return this.sim('POST', '/accounts', { user, password: `${user}-password`, ...what }); }
  fault(rule) { return this.sim('POST', '/faults', rule); }
  /** Calls that are not answered before heal or release lets them go. */
  async hold(rule) { return (await this.fault({ kind: 'delay', ms: 300_000, held: true, ...rule })).id; }
  release(id) { return this.sim('DELETE', `/faults/${id}`); }
  heal() { return this.sim('DELETE', '/faults'); }
  edit(what) { return this.sim('POST', '/edit', what); }
  latency(ms) { return this.sim('POST', '/latency', { base_ms: ms }); }
  truth(user) { return this.sim('GET', `/data?user=${encodeURIComponent(user)}`); }
  limit(what) { return this.sim('POST', '/limit', what); }

  // The seller API, as t/lib/Lockstep/Seller.pm has it.

  sellerSim(method, where, body) { return this.steer(this.SELLER_URL, method, where, body); }

  get operator() { return [this.OPERATOR_USER, this.OPERATOR_PASSWORD]; }

  /** A request of the operator's that must not fail; its JSON. */
  async op(method, where, body) {
    const answer = await this.api(method, `/api/analytics/${where}`, this.operator, body)
    if (answer.status >= 300) throw new Error(`${method} ${where}: ${answer.status} ${answer.text}`)
    return answer.json
  }

  /** A seller of ours with the products of one at the API. */
  async seller(name, token) {
    const { id } = await this.op('POST', 'sellers', { name, token })
    await this.op('POST', `sellers/${id}/products`, { all: true })
    return id
  }

  // Lockstep, past the browser.

  async api(method, where, as, body) {
    const [user, password] = as
    const answer = await fetch(`${this.BASE_URL}${where}`, {
      method,
      headers: {
        Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await answer.text()
    return { status: answer.status, text, json: /json/.test(answer.headers.get('content-type')) ? JSON.parse(text) : undefined }
  }

  async sync(as) {
    const answer = await this.api('POST', '/api/reseller/programs/sync', as)
    if (answer.status !== 200) throw new Error(`sync: ${answer.status} ${answer.text}`)
    return answer.json
  }

  async jobs(as) { return (await this.api('GET', '/api/jobs', as)).json.jobs; }

  async workers(kind) {
    const status = await (await fetch(`${this.OPERATOR_URL}/status`)).json()
    return status.workers.filter((worker) => worker.kind === kind)
  }

  /** kill -9 of all workers of a kind; their pids. */
  async kill(kind) {
    const pids = (await this.workers(kind)).map((worker) => worker.pid)
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    return pids
  }

  /** One statement as the superuser; the rows as lines. */
  sql(statement) {
    const [, host, port] = /@([^:]+):(\d+)\//.exec(this.DATABASE_URL)
    return execFileSync('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-h', decodeURIComponent(host),
      '-p', port, '-U', 'postgres', '-d', 'lockstep', '-c', statement], { encoding: 'utf8' }).trim()
  }
}

module.exports = { Stack, build, root, sleep, slow, waitFor }
