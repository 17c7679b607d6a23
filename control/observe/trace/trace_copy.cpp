#include "control/observe/trace/trace_copy.h"

#include <cstring>

#include "dataplane/base/verdict.h"

namespace steer {

TraceCopy copy_trace(const Buffer& buffer) {
    TraceCopy out;
    std::memcpy(&out.head, buffer.data(), sizeof out.head);
    const std::span<const std::uint8_t> bytes{buffer.data() + sizeof out.head, out.head.used};
    for (std::size_t at = 0; at + sizeof(TraceEvent) <= bytes.size();) {
        TraceCopy::Event event{};
        std::memcpy(&event.head, &bytes[at], sizeof event.head);
        at += sizeof event.head;
        const auto payload = bytes.subspan(at, sizeof event.head * event.head.cells);
        event.payload.assign(payload.begin(), payload.end());
        at += payload.size();
        out.events.push_back(std::move(event));
    }
    return out;
}

const TraceCopy::Event* TraceCopy::last(TraceWhat what) const {
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
        if (event->head.what == what) return &*event;
    }
    return nullptr;
}

std::string end_label(const TraceCopy& trace) {
    const TraceCopy::Event* const end = trace.last(TraceWhat::end);
    if (end == nullptr) return "lost";
    const std::size_t number = end->head.pc;
    switch (static_cast<TraceEnd>(end->head.flags)) {
        case TraceEnd::verdict:
            if (number < kVerdicts.size()) return std::string(kVerdicts.rows[number].label);
            break;
        case TraceEnd::pending_outcome:
            if (number < kPendingOutcomes.size())
                return std::string(kPendingOutcomes.rows[number].label);
            break;
        case TraceEnd::lost:
            break;
    }
    return "lost";
}

std::vector<IpAddress> addresses_of(const TraceCopy::Event& answer) {
    std::vector<IpAddress> out(answer.payload.size() / sizeof(IpAddress));
    if (!out.empty())
        std::memcpy(out.data(), answer.payload.data(), out.size() * sizeof(IpAddress));
    return out;
}

}  // namespace steer
