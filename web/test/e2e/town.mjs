// A server behind a bad network, and two friends who talk through it.
import { freePort, Proxy, Server } from './server.mjs'
import { browser, Person } from './person.mjs'

/** Town is what an outage happens to. Everything that was said in it is checked at the end. */
export class Town {
  /** Founds a town: amina (fr) and nadia (ar) are contacts, with each other's chat open. With `admin` amina administers it. */
  static async found({ config, options = {}, admin = false } = {}) {
    const town = new Town()
    const port = await freePort()
    town.bad = await Proxy.make(port)
    town.server = await Server.make({ port, open: town.bad.port, more: config })
    await town.server.start()
    town.chromium = await browser()
    town.amina = await Person.make(town.chromium, 'amina', options.amina)
    town.nadia = await Person.make(town.chromium, 'nadia', { lang: 'ar', ...options.nadia })
    await town.amina.join(town.server.invite(...(admin ? ['-admin'] : [])))
    await town.nadia.join(town.server.invite())
    await town.amina.befriend(town.nadia)
    await town.nadia.page.getByRole('link', { name: /amina/ }).first().waitFor()
    await town.face()
    return town
  }

  /** Both look at their talk, and it works. */
  async face() {
    const { amina, nadia } = this
    await amina.open(nadia.jid)
    await nadia.open(amina.jid)
    await amina.write('begin')
    await amina.state('begin', 'read')
    await nadia.write('we have begun')
    await nadia.state('we have begun', 'read')
  }

  async end() {
    await this.chromium?.close()
    this.bad?.end()
    await this.second?.end()
    await this.server?.end()
  }
}
