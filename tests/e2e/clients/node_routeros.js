// node-routeros logs in, adds, prints, sets, removes; and writes a thousand rows at once.
const assert = require('assert');
const {RouterOSAPI} = require('node-routeros');
const options = require('./options');

const menu = '/ip/firewall/address-list';

async function one_row(api) {
    const [{ret}] = await api.write(menu + '/add', ['=list=one', '=address=10.0.0.1/32', '=timeout=1h']);
    assert.match(ret, /^\*[0-9A-F]+$/);
    const [row] = await api.write(menu + '/print', ['?list=one']);
    assert.deepStrictEqual([row['.id'], row.address, row.dynamic, row.disabled], [ret, '10.0.0.1', 'true', 'false']);
    assert.match(row.timeout, /^(1h|59m5\ds)$/);

    await api.write(menu + '/set', ['=.id=' + ret, '=comment=by node', '=timeout=2h']);
    const [changed] = await api.write(menu + '/print', ['?.id=' + ret, '=.proplist=comment,timeout']);
    assert.strictEqual(changed.comment, 'by node');
    assert.match(changed.timeout, /^(2h|1h59m5\ds)$/);

    await assert.rejects(api.write(menu + '/add', ['=list=one', '=address=10.0.0.1']),
                         /already have such entry/);
    await api.write(menu + '/remove', ['=.id=' + ret]);
    assert.deepStrictEqual(await api.write(menu + '/print', ['?list=one']), []);
    await assert.rejects(api.write(menu + '/remove', ['=.id=' + ret]), /no such item/);
}

async function many_rows(api) {
    const count = 1000;
    const adds = [...Array(count).keys()].map(
        (i) => api.write(menu + '/add', ['=list=many', `=address=10.1.${i >> 8}.${i & 255}`]));
    const ids = (await Promise.all(adds)).map(([reply]) => reply.ret);
    assert.strictEqual(new Set(ids).size, count);
    const rows = await api.write(menu + '/print', ['?list=many']);
    assert.deepStrictEqual(rows.map((row) => row['.id']).sort(), [...ids].sort());
    await api.write(menu + '/remove', ['=numbers=' + ids.join(',')]);
    assert.deepStrictEqual(await api.write(menu + '/print', ['?list=many']), []);
}

async function wrong_password() {
    const api = new RouterOSAPI({...options, password: 'wrong'});
    api.on('error', () => {});
    await assert.rejects(api.connect(), /Username or password is invalid/);
}

async function main() {
    const api = new RouterOSAPI(options);
    api.on('error', (error) => { throw error; });
    await api.connect();
    await one_row(api);
    await many_rows(api);
    await api.close();
    await wrong_password();
    console.log('node-routeros ok');
    process.exit(0);
}

main().catch((error) => { console.error(error); process.exit(1); });
