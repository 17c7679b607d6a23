#include "dataplane/policy/trace.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/dns/options.h"
#include "dataplane/dns/wire.h"

namespace steer {
namespace {

// Of a trail's `upstream_ede`: TrailEvent::b has the code, and above it the length of the text.
constexpr unsigned kTextShift = 16;
constexpr std::uint32_t kCodeMask = 0xffff;

constexpr std::size_t cells_of(std::size_t bytes) {
    return (bytes + sizeof(TraceEvent) - 1) / sizeof(TraceEvent);
}

std::span<const std::uint8_t> shortened(std::span<const std::uint8_t> text) {
    return text.first(std::min(text.size(), kMaxEdeText));
}

}  // namespace

bool Trace::begin(BufferPools& pools, std::uint16_t handle, const TraceHead& head) noexcept {
    pools_ = &pools;
    buffer_ = pools.take(kSmallBuffer);
    if (buffer_ == nullptr) return false;
    handle_ = handle;
    branches_ = 0;
    has_record = has_run = false;
    packet_cache = TracePacketCache::not_udp;
    std::memcpy(buffer_->data(), &head, sizeof head);
    buffer_->length = sizeof head;
    return true;
}

std::uint8_t* Trace::room(std::size_t bytes) noexcept {
    if (buffer_->length + bytes > buffer_->capacity) {
        Buffer* const larger =
            buffer_->capacity < kLargeBuffer ? pools_->take(kLargeBuffer) : nullptr;
        if (larger == nullptr) {
            ++head().lost;
            return nullptr;
        }
        std::memcpy(larger->data(), buffer_->data(), buffer_->length);
        larger->length = buffer_->length;
        release(std::exchange(buffer_, larger));
    }
    std::uint8_t* const at = buffer_->data() + buffer_->length;
    buffer_->length += static_cast<std::uint32_t>(bytes);
    return at;
}

void Trace::note(Now now, std::uint8_t branch, TraceEvent event,
                 std::span<const std::uint8_t> payload) noexcept {
    constexpr std::size_t kCell = sizeof(TraceEvent);
    if (buffer_ == nullptr) return;
    const std::uint64_t began_ms = head().began_ms;
    event.at_ms = static_cast<std::uint16_t>(
        std::min<std::uint64_t>(now.ms - std::min(now.ms, began_ms), UINT16_MAX));
    event.branch = branch;
    event.cells = static_cast<std::uint8_t>(cells_of(payload.size()));
    std::uint8_t* const at = room(kCell * (1U + event.cells));
    if (at == nullptr) return;
    std::memcpy(at, &event, kCell);
    if (payload.empty()) return;
    std::memset(at + kCell * event.cells, 0, kCell);
    std::memcpy(at + kCell, payload.data(), payload.size());
}

Buffer* Trace::take() noexcept {
    head().used = buffer_->length - static_cast<std::uint32_t>(sizeof(TraceHead));
    handle_ = 0;
    return std::exchange(buffer_, nullptr);
}

void note_trail(Buffer& trail, const TrailEvent& event) noexcept {
    if (trail.length + sizeof event > trail.capacity) return;
    std::memcpy(trail.data() + trail.length, &event, sizeof event);
    trail.length += sizeof event;
}

void note_trail_errors(Buffer& trail, std::span<const std::uint8_t> options, std::uint16_t upstream,
                       Now now) noexcept {
    dns::for_each_error(options, [&](std::uint16_t code, std::span<const std::uint8_t> whole) {
        const auto text = shortened(whole);
        const TrailEvent event{now.ms, TraceWhat::upstream_ede, 0, upstream,
                               code | static_cast<std::uint32_t>(text.size()) << kTextShift};
        const std::size_t cells = cells_of(text.size());
        if (trail.length + (1 + cells) * sizeof event > trail.capacity) return;
        note_trail(trail, event);
        std::memcpy(trail.data() + trail.length, text.data(), text.size());
        trail.length += static_cast<std::uint32_t>(cells * sizeof event);
    });
}

void note_errors(const TraceRef& trace, std::span<const std::uint8_t> options, TraceWhat what,
                 Now now) noexcept {
    dns::for_each_error(options, [&](std::uint16_t code, std::span<const std::uint8_t> whole) {
        const auto text = shortened(whole);
        trace.note(now, what, 0, 0, code, static_cast<std::uint32_t>(text.size()), text);
    });
}

void copy_trail(const TraceRef& trace, const Buffer& trail) noexcept {
    for (std::size_t at = 0; at + sizeof(TrailEvent) <= trail.length;) {
        TrailEvent event;
        std::memcpy(&event, trail.data() + at, sizeof event);
        at += sizeof event;
        if (event.what != TraceWhat::upstream_ede) {
            trace.note({event.at_ms}, event.what, event.flags, event.upstream, event.b);
            continue;
        }
        const std::uint32_t length = event.b >> kTextShift;
        trace.note({event.at_ms}, event.what, 0, event.upstream, event.b & kCodeMask, length,
                   {trail.data() + at, length});
        at += cells_of(length) * sizeof event;
    }
}

}  // namespace steer
