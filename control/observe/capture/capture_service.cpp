#include "control/observe/capture/capture_service.h"

#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <iterator>
#include <utility>

#include "control/api/http/base64.h"
#include "control/config/text/dns_names.h"
#include "control/observe/capture/pcapng.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "dataplane/dns/wire.h"
#include "matchers/quote.h"
#include "matchers/version.h"

namespace steer {
namespace {

namespace json = boost::json;
using ops::ParamType;

constexpr std::uint64_t kMostFrames = 100'000'000, kMostSeconds = 86'400;
constexpr std::uint32_t kFrameBytes = 2048, kFewestBytes = 64;
constexpr auto kWaitMs = static_cast<std::uint64_t>(CaptureService::kWait.count());
constexpr auto kPatienceMs = static_cast<std::uint64_t>(CaptureService::kPatience.count());
constexpr std::uint32_t kOfSockets = UINT32_MAX;  // in place of the interface's number

void put16(std::vector<std::uint8_t>& out, std::size_t n) {
    out.push_back(static_cast<std::uint8_t>(n >> 8U));
    out.push_back(static_cast<std::uint8_t>(n));
}

// The Internet checksum (RFC 1071) of these bytes, after `sum`.
std::uint16_t checksum(std::uint64_t sum, std::span<const std::uint8_t> bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        sum += i % 2 == 0 ? std::uint64_t{bytes[i]} << 8U : bytes[i];
    while (sum >> 16U != 0)
        sum = (sum & 0xffffU) + (sum >> 16U);
    return static_cast<std::uint16_t>(~sum);
}

struct Side {
    IpAddress address;
    std::uint16_t port;
};

// IP and UDP headers, and a message behind them that begins with `message`.
std::vector<std::uint8_t> packet_of(const Side& from, const Side& to,
                                    std::span<const std::uint8_t> message, std::size_t length) {
    constexpr std::size_t kUdpHeader = 8, kV4Header = 20;
    constexpr std::uint8_t kHops = 64, kUdp = 17;
    const std::size_t datagram = kUdpHeader + length;
    const bool is_v4 = from.address.is_v4() && to.address.is_v4();
    std::vector<std::uint8_t> out;
    out.reserve(48 + message.size());
    const auto put = [&out](std::span<const std::uint8_t> bytes) {
        out.insert(out.end(), bytes.begin(), bytes.end());
    };
    if (is_v4) {
        out = {0x45, 0};
        put16(out, kV4Header + datagram);
        put16(out, 0);
        put16(out, 0);
        out.insert(out.end(), {kHops, kUdp, 0, 0});
        put({from.address.v4(), 4});
        put({to.address.v4(), 4});
        const std::uint16_t sum = checksum(0, out);
        out[10] = static_cast<std::uint8_t>(sum >> 8U);
        out[11] = static_cast<std::uint8_t>(sum);
    } else {
        out = {0x60, 0, 0, 0};
        put16(out, datagram);
        out.insert(out.end(), {kUdp, kHops});
        put(from.address.bytes);
        put(to.address.bytes);
    }
    const std::size_t udp = out.size();
    put16(out, from.port);
    put16(out, to.port);
    put16(out, datagram);
    put16(out, 0);
    put(message);
    if (is_v4 || message.size() != length) return out;  // without a checksum
    // RFC 8200 8.1: the pseudo-header, then the datagram; 0 is sent as 0xffff.
    const std::uint16_t addresses = checksum(0, std::span(out).subspan(8, 32));
    const std::uint64_t pseudo = static_cast<std::uint16_t>(~addresses) + datagram + kUdp;
    std::uint16_t sum = checksum(pseudo, std::span(out).subspan(udp));
    if (sum == 0) sum = 0xffff;
    out[udp + 6] = static_cast<std::uint8_t>(sum >> 8U);
    out[udp + 7] = static_cast<std::uint8_t>(sum);
    return out;
}

// The same as a frame, with MAC addresses of 0.
std::vector<std::uint8_t> frame_of(const Side& from, const Side& to,
                                   std::span<const std::uint8_t> message, std::size_t length) {
    const auto packet = packet_of(from, to, message, length);
    std::vector<std::uint8_t> out(12, 0);
    put16(out, packet[0] >> 4U == 4 ? 0x0800 : 0x86dd);
    out.insert(out.end(), packet.begin(), packet.end());
    return out;
}

}  // namespace

struct CaptureService::Session {
    std::uint64_t number;
    std::uint64_t most_frames;
    std::uint64_t began_ns, end_ms, read_ms;             // CLOCK_BOOTTIME
    std::string out;                                     // what the client has not fetched
    std::vector<std::string> ports;                      // interfaces, by their number in the file
    std::uint32_t sockets = 0;                           // interface of kernel sockets
    std::vector<std::vector<std::uint32_t>> interfaces;  // by worker and port
    std::uint64_t frames = 0, lost = 0, lost_before = 0;
    bool is_ending = false, is_over = false;
    std::uint64_t ending_ms = 0, last_turns = 0;  // is_ending: since when; token of Shared::qsbr
    ops::RpcDone reader;                          // waits for bytes; empty: none
    std::uint64_t reader_until_ms = 0;
};

CaptureService::CaptureService(boost::asio::io_context& main_io, DataplaneRuntime& runtime,
                               QueryRecordFeed& records, Clock& clock)
    : runtime_(runtime),
      records_(records),
      clock_(clock),
      timer_(main_io),
      filter_(runtime.shared().capture, runtime.shared().qsbr) {
    taker_ = records_.add([this](const QueryRecordView& record) { take(record); });
}

CaptureService::~CaptureService() {
    records_.remove(taker_);
}

void CaptureService::end() {
    runtime_.shared().capture.store(nullptr, std::memory_order_release);
    records_.wish(taker_, {});
    timer_.cancel();
    {
        const std::scoped_lock lock(mutex_);
        of_sockets_.reset();
        from_sockets_ = {};
    }
    if (const auto session = std::exchange(session_, nullptr); session && session->reader)
        session->reader(ops::RpcError{ops::RpcCode::internal_error, "the capture has ended"});
}

void CaptureService::add_methods(ops::Methods& methods) {
    constexpr ops::Parameter kCapture{"capture", ParamType::number, "of capture.start", true};
    methods.add(
        {.name = "capture.start",
         .help = "Begins to copy frames of the workers; one capture at a time.",
         .changes = ops::Changes::nothing(),
         .piece = ops::Piece::small(),
         .role = AccessRole::admin,
         .parameters = {{"name", ParamType::domain_name,
                         "only questions for this name or below it"},
                        {"client", ParamType::client, "only from or to this one"},
                        {"port", ParamType::number, "only from or to this UDP or TCP port", false,
                         1, 65'535},
                        {"interface", ParamType::text,
                         "only frames of this port; `sockets`: only queries over kernel sockets"},
                        {"count", ParamType::number, "end after this number of frames", false, 1,
                         kMostFrames},
                        {"seconds", ParamType::number, "end after this time (default: 3600)", false,
                         1, kMostSeconds, "s"},
                        {"bytes", ParamType::number, "of a frame, bytes to keep (default: 2048)",
                         false, kFewestBytes, CapturedFrame::kMostBytes, "B"}},
         .run = [this](const ops::Arguments& asked) { return start(asked); },
         .members = "capture",
         .result = "`capture`: its number"});
    methods.add({.name = "capture.read",
                 .help = "Waits up to 1 s for bytes of the capture, in pcapng.",
                 .changes = ops::Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {kCapture},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { read(asked, false, done); },
                 .members = "bytes frames lost done",
                 .result = "`bytes` in base64, numbers of frames, and whether it is `done`"});
    methods.add({.name = "capture.stop",
                 .help = "Ends a capture; its last bytes can still be read.",
                 .changes = ops::Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {kCapture},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { read(asked, true, done); },
                 .members = "bytes frames lost done",
                 .result = "as capture.read"});
}

ops::RpcResult CaptureService::start(const ops::Arguments& asked) {
    if (session_ != nullptr && !session_->is_over)
        return ops::RpcError{ops::RpcCode::internal_error,
                             "another capture is under way: try again when it has ended"};
    auto filter = std::make_unique<CaptureFilter>();
    filter->most_bytes = static_cast<std::uint32_t>(asked.number("bytes", kFrameBytes));
    filter->transport_port = static_cast<std::uint16_t>(asked.number("port", 0));
    if (asked.has("name")) {
        const auto name = config::asked_name(asked.text("name"));
        if (!name) return ops::bad_params("name: expected a domain name");
        filter->name_len = static_cast<std::uint8_t>(name->size());
        dns::lower_case(name->data(), filter->name.data(), name->size());
        if (name->size() == 1) filter->name_len = 0;  // all names are below the root
    }
    if (asked.has("client")) {
        const auto prefix = matchers::Prefix::parse(asked.text("client"));
        if (!prefix)
            return ops::bad_params("client: expected an address or prefix such as 192.0.2.0/24");
        filter->hosts = matchers::PrefixSet({*prefix});
    }
    auto session = std::make_unique<Session>();
    session->number = next_++;
    session->most_frames = asked.number("count", kMostFrames);
    const Now now = clock_.now();
    session->began_ns = now.micros() * 1000;
    session->read_ms = now.ms;
    session->end_ms = now.ms + asked.number("seconds", 3600) * 1000;
    pcapng::add_section(session->out, with_version("steerdnsd"));
    for (const Shared::PortOwner& owner : runtime_.shared().port_owners) {
        auto& ports = session->ports;
        const auto at = std::ranges::find(ports, owner.port->name());
        if (at == ports.end()) {
            ports.push_back(owner.port->name());
            pcapng::add_interface(session->out, owner.port->name(), filter->most_bytes);
        }
        if (session->interfaces.size() <= owner.worker)
            session->interfaces.resize(owner.worker + 1U);
        session->interfaces[owner.worker].push_back(static_cast<std::uint32_t>(
            std::ranges::find(ports, owner.port->name()) - ports.begin()));
    }
    const std::string port = asked.text("interface");
    if (!port.empty() && port != kSockets &&
        std::ranges::find(session->ports, port) == session->ports.end()) {
        std::string known;
        for (const std::string& one : session->ports)
            known += one + ", ";
        return ops::bad_params("there is no port " + matchers::quoted(port) + ": write one of " +
                               known + std::string(kSockets));
    }
    filter->port = port;
    session->sockets = static_cast<std::uint32_t>(session->ports.size());
    session->ports.emplace_back(kSockets);
    pcapng::add_interface(session->out, kSockets, filter->most_bytes);

    // What is left of a capture before.
    for (unsigned w = 0; w < runtime_.workers(); ++w)
        runtime_.frames(w).for_each([](std::span<const std::uint8_t>) {});
    session->lost_before = lost_by_workers();
    {
        const std::scoped_lock lock(mutex_);
        of_sockets_.reset();
        from_sockets_.clear();
        bytes_from_sockets_ = lost_from_sockets_ = 0;
        if (port.empty() || port == kSockets) of_sockets_ = *filter;
    }
    if (port.empty() || port == kSockets) {
        const auto most =
            static_cast<std::uint16_t>(std::min<std::uint32_t>(filter->most_bytes, UINT16_MAX));
        records_.wish(taker_, {.one_in = 1, .query_bytes = most, .response_bytes = most});
    }
    if (port != kSockets) filter_.put(std::move(filter));
    session_ = std::move(session);
    arm();
    return json::value(json::object{{"capture", session_->number}});
}

void CaptureService::read(const ops::Arguments& asked, bool stops, const ops::RpcDone& done) {
    if (session_ == nullptr || session_->number != asked.number("capture", 0))
        return done(
            ops::bad_params("this capture has ended: its client did not read for 5 s, or "
                            "another one began"));
    Session& s = *session_;
    if (s.reader)
        std::exchange(s.reader, nullptr)(
            ops::RpcError{ops::RpcCode::internal_error, "another request reads this capture"});
    s.read_ms = clock_.now().ms;
    if (stops && !s.is_ending) finish();
    s.reader = done;
    s.reader_until_ms = s.read_ms + kWaitMs;
    if (!s.out.empty() || s.is_over) answer();
}

void CaptureService::arm() {
    timer_.expires_after(kEvery);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error && session_ != nullptr) tick();
    });
}

// No worker copies further frames after its present turn.
void CaptureService::finish() {
    Session& s = *session_;
    s.is_ending = true;
    runtime_.shared().capture.store(nullptr, std::memory_order_release);
    s.ending_ms = clock_.now().ms;
    s.last_turns = rte_rcu_qsbr_start(runtime_.shared().qsbr);
}

// Whether all workers ended the turns in which they still copied frames; at the latest after kWait.
bool CaptureService::is_copied() const {
    const Session& s = *session_;
    return rte_rcu_qsbr_check(runtime_.shared().qsbr, s.last_turns, false) == 1 ||
           clock_.now().ms - s.ending_ms >= kWaitMs;
}

void CaptureService::tick() {
    Session& s = *session_;
    const bool has_all = s.is_ending && is_copied();
    filter_.poll();
    if (!s.is_over) collect();
    const std::uint64_t now = clock_.now().ms;
    if (now - s.read_ms > kPatienceMs) {  // its client has left
        end();
        return;
    }
    if (has_all && !s.is_over) {
        s.is_over = true;
        records_.wish(taker_, {});
        const std::scoped_lock lock(mutex_);
        of_sockets_.reset();
        const auto wall = std::chrono::duration_cast<std::chrono::nanoseconds>(
                              std::chrono::system_clock::now().time_since_epoch())
                              .count();
        pcapng::add_statistics(s.out, 0, static_cast<std::uint64_t>(wall), s.lost);
    } else if (!s.is_ending && (now >= s.end_ms || s.frames >= s.most_frames)) {
        finish();
    }
    if (s.reader && (!s.out.empty() || s.is_over || now >= s.reader_until_ms)) answer();
    if (session_ != nullptr) arm();
}

std::uint64_t CaptureService::lost_by_workers() const {
    std::uint64_t lost = 0;
    for (unsigned w = 0; w < runtime_.workers(); ++w)
        lost += runtime_.worker(w).counters().get(Stat::capture_lost);
    return lost;
}

std::uint32_t CaptureService::interface_of(std::size_t worker, std::uint8_t port) {
    const auto& all = session_->interfaces;
    return worker < all.size() && port < all[worker].size() ? all[worker][port] : 0;
}

void CaptureService::collect() {
    Session& s = *session_;
    records_.poll();
    std::vector<Frame> frames;
    {
        const std::scoped_lock lock(mutex_);
        frames.swap(from_sockets_);
        bytes_from_sockets_ = 0;
        s.lost = lost_from_sockets_;
    }
    for (unsigned w = 0; w < runtime_.workers(); ++w) {
        runtime_.frames(w).for_each([&](std::span<const std::uint8_t> cells) {
            const auto& head = *reinterpret_cast<const CapturedFrame*>(cells.data());
            if (head.at_ns < s.began_ns) return;  // a worker's last turn of the capture before
            const auto bytes = head.bytes();
            frames.push_back({interface_of(head.worker, head.port),
                              head.at_ns,
                              head.length,
                              head.is_sent != 0,
                              {bytes.begin(), bytes.end()}});
        });
    }
    std::ranges::stable_sort(frames, {}, &Frame::at_ns);
    const auto wall = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const std::uint64_t boot_to_wall =
        static_cast<std::uint64_t>(wall.count()) - clock_.now().micros() * 1000;
    std::uint64_t not_kept = 0;
    for (const Frame& frame : frames) {
        if (s.frames >= s.most_frames) break;
        if (s.out.size() + frame.bytes.size() > kMostKept) {
            ++not_kept;
            continue;
        }
        pcapng::add_packet(
            s.out,
            {.interface = frame.interface == kOfSockets ? s.sockets : frame.interface,
             .at_ns = frame.at_ns + boot_to_wall,
             .length = frame.length,
             .is_sent = frame.is_sent},
            frame.bytes);
        ++s.frames;
    }
    {
        const std::scoped_lock lock(mutex_);
        lost_from_sockets_ += not_kept;
        s.lost = lost_from_sockets_;
    }
    s.lost += lost_by_workers() - s.lost_before;
}

// A query over UDP that arrived by a kernel socket, and its response.
void CaptureService::take(const QueryRecordView& record) {
    const QueryRecord& head = record.head;
    if ((head.how & QueryRecord::kInjected) == 0 || head.transport != ClientTransport::udp) return;
    const std::scoped_lock lock(mutex_);
    lost_from_sockets_ += head.lost;   // whatever they asked
    if (record.query.empty()) return;  // written before the capture requested query bytes
    if (!of_sockets_ || !of_sockets_->selects(head.client, head.local, head.client_port,
                                              head.local_port, record.query))
        return;
    const Side client{head.client, head.client_port}, local{head.local, head.local_port};
    const std::uint64_t began_ns = head.ended_ns - std::uint64_t{head.duration_us} * 1000;
    const auto add = [&](const Side& from, const Side& to, std::span<const std::uint8_t> message,
                         std::size_t length, std::uint64_t at_ns, bool is_sent) {
        auto bytes = frame_of(from, to, message, length);
        const std::size_t whole = bytes.size() + length - message.size();
        bytes.resize(std::min<std::size_t>(bytes.size(), of_sockets_->most_bytes));
        if (bytes_from_sockets_ + bytes.size() > kMostKept) {
            ++lost_from_sockets_;
            return;
        }
        bytes_from_sockets_ += bytes.size();
        from_sockets_.push_back(
            {kOfSockets, at_ns, static_cast<std::uint32_t>(whole), is_sent, std::move(bytes)});
    };
    add(client, local, record.query, std::max<std::size_t>(head.query_length, record.query.size()),
        began_ns, false);
    if (head.response_length != 0)
        add(local, client, record.response, head.response_length, head.ended_ns, true);
}

void CaptureService::answer() {
    Session& s = *session_;
    const std::size_t n = std::min(s.out.size(), kMostSent);
    const bool is_done = s.is_over && n == s.out.size();
    json::object out{{"bytes", ops::base64(std::string_view(s.out).substr(0, n))},
                     {"frames", s.frames},
                     {"lost", s.lost},
                     {"done", is_done}};
    s.out.erase(0, n);
    s.read_ms = clock_.now().ms;
    std::exchange(s.reader, nullptr)(json::value(std::move(out)));
    if (is_done && session_ != nullptr) session_.reset();
}

}  // namespace steer
