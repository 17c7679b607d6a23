#include "dataplane/stages/tracer.h"
#include "dataplane/policy/decision.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/base/message.h"
#include "dataplane/dns/name.h"
#include "dataplane/policy/snapshot.h"

namespace steer {
namespace {

constexpr unsigned kSlotBits = 6;  // of a handle: the slot, then a number that counts up
static_assert(1U << kSlotBits == Tracer::kMost);
constexpr std::size_t kMaxAddresses = 16;

// The name of a message whose form was not checked yet; empty: it is malformed.
std::span<const std::uint8_t> name_of(const Packet& p) {
    if (p.dns_length < dns::kHeaderSize) return {};
    const std::span<const std::uint8_t> rest{p.dns + dns::kHeaderSize,
                                             std::size_t{p.dns_length} - dns::kHeaderSize};
    const std::size_t length = dns::plain_name_length(rest);
    if (length == 0 || length + dns::kTypeAndClass > rest.size()) return {};
    return rest.first(length);
}

bool is_name_selected(const TraceFilter& filter, std::span<const std::uint8_t> name) {
    if (filter.name_len == 0) return true;
    if (name.size() < filter.name_len || (!filter.below && name.size() != filter.name_len))
        return false;
    std::array<std::uint8_t, 256> lower;
    dns::lower_case(name.data(), lower.data(), name.size());
    const std::size_t from = name.size() - filter.name_len;
    if (std::memcmp(lower.data() + from, filter.name.data(), filter.name_len) != 0) return false;
    std::size_t label = 0;
    while (label < from)
        label += lower[label] + 1U;
    return label == from;
}

bool is_selected(const TraceFilter& filter, const Packet& p) {
    return (filter.clients.empty() || filter.clients.contains(p.client.address)) &&
           is_name_selected(filter, name_of(p));
}

unsigned number_of(std::optional<dns::Ede> ede, bool has_edns) {
    return ede && has_edns ? static_cast<unsigned>(*ede) : unsigned{kTraceNone};
}

// Whether a hit was above a row of `limits:` (Resolver::answer_under_limits()).
bool is_limited(const Packet& p, const Snapshot& snapshot) noexcept {
    return snapshot.limits_answers() && p.end != Verdict::answered;
}

}  // namespace

void note_decided(const TraceRef& trace, const Snapshot& snapshot, const ProgramState& state,
                  Now now) noexcept {
    static_assert(ProgramState::kNowhere == kTraceNone);
    trace.note(now, TraceWhat::decided, static_cast<unsigned>(decision_of(snapshot, state)),
               decided_at(state), state.part);
}

void note_answer(const TraceRef& trace, const dns::Answer& answer, const dns::ReplyOptions& options,
                 bool has_edns, Now now) noexcept {
    std::array<IpAddress, kMaxAddresses> addresses;
    std::size_t n = 0;
    for (; n < std::min<std::size_t>(answer.address_count, kMaxAddresses); ++n) {
        const dns::AddressRef& at = answer.addresses()[n];
        const std::uint8_t* const bytes = answer.body() + at.rdata_offset;
        addresses[n] = at.is_v6 != 0 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes);
    }
    const std::uint32_t age_s = options.age_s;
    const std::uint32_t left_s = answer.min_ttl_s > age_s ? answer.min_ttl_s - age_s : 0;
    trace.note(now, TraceWhat::answer, answer.rcode, number_of(options.ede, has_edns),
               std::min(left_s, options.ttl_cap_s), age_s,
               {reinterpret_cast<const std::uint8_t*>(addresses.data()), n * sizeof(IpAddress)});
    if (has_edns && options.extras != nullptr)
        note_errors(trace, options.extras->options, TraceWhat::passed_ede, now);
}

Tracer::Tracer(unsigned worker, std::uint64_t traces_from, BufferPools& buffers,
               Ring<TraceMessage>* to_main, const std::atomic<const TraceFilter*>& filter,
               const Now& now)
    : worker_(worker),
      buffers_(buffers),
      to_main_(to_main),
      filter_(filter),
      now_(now),
      next_id_((std::uint64_t{worker + 1} << kTraceWorkerShift) + traces_from) {}

Tracer::~Tracer() {
    for (Trace& trace : traces_) {
        if (trace.is_open()) release(trace.take());
    }
}

void Tracer::begin(Burst& burst, const Snapshot& snapshot, const TraceFilter* filter,
                   Now now) noexcept {
    const std::uint32_t injected = burst.traced;
    burst.traced = 0;
    burst_ = &burst;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const unsigned place = burst.live[i];
        const Packet& p = burst.packets[place];
        std::uint64_t id = 0;
        std::uint8_t filters = 0;
        if ((injected >> place & 1) != 0) {
            id = reinterpret_cast<const InjectedQuery*>(p.injected->data())->trace_id;
        } else {
            filters = select(filter, p);
            if (filters == 0) continue;
        }
        if (begin_one(p, snapshot, id, filters, now, burst.traces[place])) {
            burst.traced |= 1U << place;
            burst.packets[place].end = Verdict::count_;
        } else {
            ++passed_by_;
        }
    }
}

std::uint8_t Tracer::select(const TraceFilter* filter, const Packet& p) noexcept {
    unsigned selected = 0;
    for (; filter != nullptr; filter = filter->next.get()) {
        if (!is_selected(*filter, p)) continue;
        std::uint32_t& skip = skip_[filter->number];
        if (skip >= filter->one_in) skip = 0;  // left by an earlier filter with this number
        if (skip > 0) {
            --skip;
            continue;
        }
        skip = filter->one_in - 1;
        selected |= 1U << filter->number;
    }
    return static_cast<std::uint8_t>(selected);
}

bool Tracer::begin_one(const Packet& p, const Snapshot& snapshot, std::uint64_t id,
                       std::uint8_t filters, Now now, std::uint16_t& handle) noexcept {
    if (to_main_ == nullptr) return false;
    const auto slot = std::ranges::find_if(traces_, [](const Trace& t) { return !t.is_open(); });
    if (slot == traces_.end()) return false;
    TraceHead head{};
    head.id = id != 0 ? id : ++next_id_;
    head.began_ms = now.ms;
    head.generation = snapshot.generation;
    head.passed_by = passed_by_;
    head.client = p.client.address;
    head.local = p.destination;
    head.client_port = p.client.port;
    head.local_port = p.destination_port;
    head.worker = static_cast<std::uint8_t>(worker_);
    head.entry = p.client.entry;
    head.filters = filters;
    head.is_injected = p.mbuf == nullptr ? 1 : 0;
    head.transport = static_cast<std::uint8_t>(p.client.transport);
    if (const auto name = name_of(p); !name.empty()) {
        head.name_len = static_cast<std::uint8_t>(name.size());
        std::memcpy(head.name.data(), name.data(), name.size());
        head.qtype = dns::load_be16(name.data() + name.size());
        head.qclass = dns::load_be16(name.data() + name.size() + 2);
    }
    const auto number = static_cast<unsigned>(slot - traces_.begin());
    if ((++serial_ << kSlotBits & 0xffffU) == 0) ++serial_;  // no handle is 0
    handle = static_cast<std::uint16_t>(serial_ << kSlotBits | number);
    if (!slot->begin(buffers_, handle, head)) return false;
    ids_[number] = head.id;
    last_handles_[number] = handle;
    passed_by_ = 0;
    return true;
}

TraceRef Tracer::find(std::uint16_t handle, std::uint8_t branch) noexcept {
    if (handle == 0) [[likely]]
        return {};
    Trace& trace = traces_[handle % kMost];
    return trace.handle() == handle ? TraceRef{&trace, branch} : TraceRef{};
}

TraceRef Tracer::of(const Burst& burst, unsigned place) noexcept {
    return (burst.traced >> place & 1) != 0 ? find(burst.traces[place], 0) : TraceRef{};
}

// Packets of other bursts have no trace.
std::uint16_t Tracer::handle_of(const Packet& p) const noexcept {
    if (burst_ == nullptr || burst_->traced == 0) return 0;
    const auto first = reinterpret_cast<std::uintptr_t>(burst_->packets.data());
    const std::size_t at = (reinterpret_cast<std::uintptr_t>(&p) - first) / sizeof(Packet);
    return at < kBurst && (burst_->traced >> at & 1) != 0 ? burst_->traces[at] : std::uint16_t{0};
}

std::uint64_t Tracer::id_of(const Packet& p) const noexcept {
    const std::uint16_t handle = handle_of(p);
    return handle != 0 && last_handles_[handle % kMost] == handle ? ids_[handle % kMost] : 0;
}

void Tracer::note_refused(const Packet& p, std::uint16_t rcode,
                          std::optional<dns::Ede> ede) noexcept {
    if (const TraceRef trace = find(handle_of(p), 0))
        trace.note(now_, TraceWhat::answer, rcode, number_of(ede, p.query.edns.present));
}

std::uint64_t Tracer::id_of(const Parked& p) const noexcept {
    const unsigned slot = p.trace % kMost;
    return p.trace != 0 && last_handles_[slot] == p.trace ? ids_[slot] : 0;
}

void Tracer::end(const TraceRef& trace, TraceEnd table, unsigned number, Now now) noexcept {
    if (!trace || !trace.get()->is_open()) return;
    trace.note(now, TraceWhat::end, static_cast<unsigned>(table), number);
    Buffer* const buffer = trace.get()->take();
    if (to_main_->push({buffer})) return;
    release(buffer);
    ++passed_by_;
}

void Tracer::ended(const Parked& p, PendingOutcome end_of) noexcept {
    end(find(p.trace, 0), TraceEnd::pending_outcome, static_cast<unsigned>(end_of), now_);
}

void Tracer::answered(const Parked& p, const dns::Answer& answer, const dns::ReplyOptions& options,
                      PendingOutcome end_of) noexcept {
    if (const TraceRef trace = find(p.trace, 0)) {
        note_decided(trace, *p.snapshot, p.program, now_);
        note_answer(trace, answer, options, p.edns.present, now_);
    }
    ended(p, end_of);
}

void Tracer::lost(const Parked& p) noexcept {
    end(find(p.trace, 0), TraceEnd::lost, 0, now_);
}

void Tracer::end_packet(Burst& burst, unsigned place, Verdict v, Now now) noexcept {
    end(of(burst, place), TraceEnd::verdict, static_cast<unsigned>(v), now);
    burst.traced &= ~(1U << place);
}

// A hit that no program ran for: the plan of its name's sets made it plain.
void Tracer::note_hit(Packet& p, const Snapshot& snapshot, Executor& executor, bool by_packet_cache,
                      const TraceRef& trace, Now now) noexcept {
    const cache::Entry& e = *p.found;
    const std::uint32_t age_s = e.born.age_s(now.s());
    const std::uint32_t left_s = e.expires_s > now.s() ? e.expires_s - now.s() : 0;
    constexpr auto kAnswered = static_cast<unsigned>(TracePacketCache::answered);
    if (by_packet_cache) trace.note(now, TraceWhat::packet_cache, kAnswered, 0, age_s, left_s);
    const Plan* const plan =
        executor.plan(snapshot, e.tags.load(std::memory_order_relaxed), p.client.entry);
    std::uint16_t pc = 0;
    if (plan != nullptr) {
        trace_plan(snapshot, *plan, p.client.entry, true, trace, now);
        pc = plan->pc;
        HitLists lists;
        if (Executor::claim_hit(snapshot, *plan, e, lists)) {
            for (unsigned l = 0; l < lists.list_count; ++l)
                trace.note(now, TraceWhat::row, static_cast<unsigned>(TraceRow::covered),
                           lists.lists[l], snapshot.lists[lists.lists[l]].id_for(p.client.address),
                           left_s);
        }
    }
    trace.note(now, TraceWhat::cache, static_cast<unsigned>(TraceCache::hit), pc, age_s, left_s);
    if (trace.get()->head().is_injected != 0) {
        const bool fits = trace.get()->packet_cache != TracePacketCache::not_udp;
        const TracePacketCache foreseen =
            fits && e.ecs_len != 0 ? TracePacketCache::for_subnet : trace.get()->packet_cache;
        trace.note(now, TraceWhat::packet_cache, static_cast<unsigned>(foreseen));
    }
    if (plan != nullptr) {
        const auto decision =
            decision_of_passed(plan->is_allowed, false, (e.list_count | plan->hit_list_count) != 0);
        trace.note(now, TraceWhat::decided, static_cast<unsigned>(decision), plan->passed_by,
                   ProgramState::kNoPart);
    }
    note_answer(trace, e.answer(), {.age_s = age_s}, p.query.edns.present, now);
}

void Tracer::end_answered(Burst& burst, const Snapshot& snapshot, Executor& executor,
                          Now now) noexcept {
    std::uint32_t live = 0;
    for (unsigned i = 0; i < burst.live_count; ++i)
        live |= 1U << burst.live[i];
    for (std::uint32_t ended = burst.traced & ~live; ended != 0; ended &= ended - 1) {
        const auto place = static_cast<unsigned>(__builtin_ctz(ended));
        Packet& p = burst.packets[place];
        if (!is_limited(p, snapshot)) {
            note_hit(p, snapshot, executor, true, of(burst, place), now);
            p.end = Verdict::answered;
        }
        end_packet(burst, place, p.end, now);
    }
}

void Tracer::after_parse(Burst& burst, Now now) noexcept {
    std::uint32_t live = 0;
    for (unsigned i = 0; i < burst.live_count; ++i)
        live |= 1U << burst.live[i];
    for (std::uint32_t ended = burst.traced & ~live; ended != 0; ended &= ended - 1) {
        const auto place = static_cast<unsigned>(__builtin_ctz(ended));
        end_packet(burst, place, burst.packets[place].end, now);
    }
}

void Tracer::after_program(Burst& burst, const Snapshot& snapshot, Executor& executor,
                           Now now) noexcept {
    for (std::uint32_t left = burst.traced; left != 0; left &= left - 1) {
        const auto place = static_cast<unsigned>(__builtin_ctz(left));
        Packet& p = burst.packets[place];
        const TraceRef trace = of(burst, place);
        if (!trace || trace.get()->has_record) continue;
        if (!trace.get()->has_run && !is_limited(p, snapshot)) {
            note_hit(p, snapshot, executor, false, trace, now);
            p.end = Verdict::answered;
        }
        end_packet(burst, place, p.end, now);
    }
    burst.traced = 0;
}

}  // namespace steer
