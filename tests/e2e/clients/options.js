// What both scripts take: PORT USER PASSWORD plain|tls|adh CERTIFICATE (tls: the file to trust)
const fs = require('fs');

const [port, user, password, mode, certificate] = process.argv.slice(2);

const tls = {
    plain: undefined,
    tls: mode === 'tls' && {ca: fs.readFileSync(certificate), servername: 'localhost'},
    adh: {ciphers: 'ADH:@SECLEVEL=0', maxVersion: 'TLSv1.2', rejectUnauthorized: false},
}[mode];

module.exports = {
    host: '127.0.0.1', port: Number(port), user, password, timeout: 10, ...(tls && {tls}),
};
