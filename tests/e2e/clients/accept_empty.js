// node-routeros 1.6.9 dies at `!empty`, which RouterOS sends since 7.18. Preloaded, this makes it ignore that reply.
const {Channel} = require('node-routeros/dist/Channel');

const process_packet = Channel.prototype.processPacket;
Channel.prototype.processPacket = function (packet) {
    if (packet[0] === '!empty') return undefined;
    return process_packet.call(this, packet);
};
