#include "world.h"

#include <algorithm>
#include <cstring>

namespace steer::test {

Bytes wire_name(std::string_view text) {
    Bytes name;
    while (!text.empty()) {
        const std::string_view label = text.substr(0, text.find('.'));
        name.push_back(static_cast<std::uint8_t>(label.size()));
        name.insert(name.end(), label.begin(), label.end());
        text.remove_prefix(std::min(text.size(), label.size() + 1));
    }
    name.push_back(0);
    return name;
}

IpAddress upstream_address(unsigned i) {
    const std::array<std::uint8_t, 4> four{203, 0, 113, static_cast<std::uint8_t>(i + 1)};
    return IpAddress::from_v4(four.data());
}

std::unique_ptr<Snapshot> make_snapshot(unsigned upstreams, std::uint8_t concurrent) {
    auto s = std::make_unique<Snapshot>();
    UpstreamGroup group;
    for (unsigned i = 0; i < upstreams; ++i) {
        Upstream u{};
        u.id = static_cast<std::uint16_t>(i);
        u.address = upstream_address(i);
        s->upstreams.push_back(u);
        group.members.push_back(u.id);
    }
    group.concurrent = concurrent;
    s->groups.push_back(group);
    return s;
}

namespace {

std::size_t question_end(const Bytes& query) {
    std::size_t at = dns::kHeaderSize;
    while (query[at] != 0)
        at += query[at] + 1U;
    return at + 5;
}

void append(Bytes& to, std::initializer_list<unsigned> bytes) {
    for (const unsigned b : bytes)
        to.push_back(static_cast<std::uint8_t>(b));
}

}  // namespace

Bytes reply_to(const Bytes& query, const ReplyOf& what) {
    Bytes r(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(question_end(query)));
    const unsigned flags =
        dns::load_be16(&query[2]) | dns::kQr | dns::kRa | what.flags | what.rcode;
    dns::store_be16(&r[2], static_cast<std::uint16_t>(flags));
    dns::store_be16(&r[6], static_cast<std::uint16_t>(what.addresses));
    dns::store_be16(&r[10], what.opt ? 1 : 0);
    for (unsigned i = 0; i < what.addresses; ++i) {
        append(r, {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2 + i / 256, i % 256});
    }
    if (what.name_server != nullptr) {
        const Bytes name = wire_name(what.name_server);
        dns::store_be16(&r[8], 1);
        append(r, {0, 0, 2, 0, 1, 0, 0, 1, 44, 0, static_cast<unsigned>(name.size())});
        r.insert(r.end(), name.begin(), name.end());
    }
    if (what.opt) append(r, {0, 0, 41, 4, 208, what.extended_rcode, 0, 0, 0, 0, 0});
    return r;
}

bool has_edns(const Bytes& query) {
    return dns::load_be16(&query[10]) == 1;
}
std::uint16_t id_of(const Bytes& message) {
    return dns::load_be16(message.data());
}

Station::Station(BufferPools& buffers, forward::LoopBoard& loops, const ForwarderOptions& options)
    : forwarder(options, buffers, *this, loops, counters) {}

Station::~Station() {
    for (auto& queue : out) {
        for (auto& m : queue)
            release(m.buffer);
    }
}

bool Station::send_frame(const NextHop&, std::uint16_t source_port, const Upstream& to,
                         std::span<const std::uint8_t> dns) noexcept {
    if (frames_without_room > 0) {
        --frames_without_room;
        return false;
    }
    if (frames_have_room) frames.push_back({source_port, to.id, Bytes(dns.begin(), dns.end())});
    return frames_have_room;
}

bool Station::send_by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                             Buffer* query) noexcept {
    UpstreamQuery header;
    std::memcpy(&header, query->data(), sizeof header);
    const auto bytes = query->bytes().subspan(sizeof header, header.length);
    kernel.push_back({token, to.id, via, header, Bytes(bytes.begin(), bytes.end())});
    release(query);
    return true;
}

bool Station::send_to_worker(unsigned worker, const Message& m) noexcept {
    if (out[worker].size() >= ring_size) return false;
    out[worker].push_back(m);
    return true;
}

void Station::answered(Parked* parked, UpstreamResult end, Buffer* answer) noexcept {
    Answered a{parked, end};
    if (answer != nullptr) {
        a.rcode = answer->answer().rcode;
        a.ancount = answer->answer().ancount;
        a.truncated = (answer->answer().flags & dns::kTc) != 0;
        a.authentic = (answer->answer().flags & dns::kAd) != 0;
        a.serial = answer->serial;
    }
    answers.push_back(a);
    release(answer);
}

World::World(unsigned upstreams, unsigned workers, const ForwarderOptions& options)
    : snapshot(make_snapshot(upstreams)) {
    for (unsigned i = 0; i < workers; ++i) {
        ForwarderOptions mine = options;
        mine.worker = i;
        mine.workers = workers;
        mine.random_seed = 7 + i;
        mine.max_in_flight = std::min(mine.max_in_flight, 64U);
        stations_.push_back(std::make_unique<Station>(buffers_, loops_, mine));
        NextHop hop;
        hop.via = NextHop::Via::port;
        stations_.back()->hops.by_upstream.assign(upstreams, hop);
        stations_.back()->forwarder.set_next_hops(&stations_.back()->hops);
    }
}

World::~World() = default;

Parked* World::park(std::string_view name, unsigned worker, std::uint16_t qtype) {
    parked_.push_back(std::make_unique<Parked>());
    Parked& p = *parked_.back();
    p.state = Parked::State::waits_upstream;
    p.worker = static_cast<std::uint8_t>(worker);
    p.qtype = qtype;
    p.qclass = dns::kIn;
    p.flags = dns::kRd;
    p.snapshot = snapshot.get();
    p.path.max_size = dns::kUpstreamUdpSize;
    const Bytes wire = wire_name(name);
    p.qname_len = static_cast<std::uint8_t>(wire.size());
    std::copy(wire.begin(), wire.end(), p.qname.begin());
    std::array<std::uint8_t, 256> low;
    dns::lower_case(wire.data(), low.data(), wire.size());
    p.keys.domain = matchers::PublicSuffixes::current().keys(
        std::span<const std::uint8_t>{low.data(), wire.size()});
    return &p;
}

void World::ask(Parked* parked, std::uint16_t group) {
    std::array<std::uint8_t, 256> low;
    dns::lower_case(parked->qname.data(), low.data(), parked->qname_len);
    std::uint64_t hash = hash_salt << 32;
    for (unsigned i = 0; i < parked->qname_len; ++i)
        hash = (hash & ~0xffffffffULL) | ((hash * 31 + low[i]) & 0xffffffff);
    station(parked->worker).forwarder.ask(parked, group, hash, now);
}

Parked* World::ask(std::string_view name, unsigned worker, std::uint16_t qtype) {
    Parked* const parked = park(name, worker, qtype);
    ask(parked);
    return parked;
}

Parked* World::ask_over_tcp(std::string_view name) {
    Parked* const parked = park(name, 0, dns::kA);
    parked->path.kind = ReturnPath::Kind::stream;
    parked->path.max_size = dns::kMaxMessage;
    ask(parked);
    return parked;
}

Verdict World::answer(const Frame& frame, const ReplyOf& what, unsigned worker) {
    return answer_with(frame, reply_to(frame.dns, what), worker);
}

Verdict World::answer_with(const Frame& frame, const Bytes& reply, unsigned worker) {
    return station(worker).forwarder.on_datagram(upstream_address(frame.upstream), 53,
                                                 frame.source_port, reply, now);
}

void World::answer_kernel(const KernelQuery& query, const ReplyOf& what, unsigned worker) {
    const Bytes reply = reply_to(query.dns, what);
    Buffer* const buffer = buffers_.take(static_cast<std::uint32_t>(reply.size()));
    std::copy(reply.begin(), reply.end(), buffer->data());
    buffer->length = static_cast<std::uint32_t>(reply.size());
    Message m;
    m.kind = MessageKind::upstream_reply;
    m.token = query.token;
    m.buffer = buffer;
    station(worker).forwarder.on_message(m, now);
}

void World::fail_kernel(const KernelQuery& query, int error, unsigned worker) {
    Message m;
    m.kind = MessageKind::upstream_reply;
    m.token = query.token;
    m.b = static_cast<std::uint32_t>(error);
    station(worker).forwarder.on_message(m, now);
}

void World::tick() {
    for (auto& s : stations_)
        s->forwarder.tick(now);
}

void World::wait(std::uint64_t ms) {
    const std::uint64_t until = now.ms + ms;
    for (;;) {
        std::uint64_t next = UINT64_MAX;
        for (auto& s : stations_)
            next = std::min(next, s->forwarder.next_deadline_ms());
        if (next > until) break;
        now.ms = std::max(now.ms, next);
        tick();
    }
    now.ms = until;
    tick();
}

void World::deliver() {
    for (bool some = true; some;) {
        some = false;
        for (auto& from : stations_) {
            for (std::size_t to = 0; to < stations_.size(); ++to) {
                while (!from->out[to].empty()) {
                    const Message m = from->out[to].front();
                    from->out[to].pop_front();
                    stations_[to]->forwarder.on_message(m, now);
                    some = true;
                }
            }
        }
    }
}

}  // namespace steer::test
