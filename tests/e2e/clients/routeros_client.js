// routeros-client logs in, adds, prints, sets, removes. It prints again what it wrote, and removes by `numbers`.
const assert = require('assert');
const {RouterOSClient} = require('routeros-client');
const options = require('./options');

async function main() {
    const client = new RouterOSClient(options);
    client.on('error', (error) => { throw error; });
    const api = await client.connect();
    for (const [path, address, printed] of [
        ['/ip firewall address-list', '10.0.0.7', '10.0.0.7'],
        ['/ipv6 firewall address-list', '2001:DB8::7', '2001:db8::7/128'],
    ]) {
        const menu = () => api.menu(path);
        const added = await menu().add({list: 'client', address, timeout: '1h'});
        assert.strictEqual(added.address, printed);
        assert.strictEqual(added.dynamic, true);

        const found = await menu().where('list', 'client').get();
        assert.deepStrictEqual(found.map((row) => row.id), [added.id]);

        await menu().update({comment: 'by client'}, added.id);
        const changed = await menu().where('id', added.id).get();
        assert.strictEqual(changed[0].comment, 'by client');

        await menu().remove(added.id);
        assert.deepStrictEqual(await menu().where('list', 'client').get(), []);
    }
    await client.close();
    console.log('routeros-client ok');
    process.exit(0);
}

main().catch((error) => { console.error(error); process.exit(1); });
