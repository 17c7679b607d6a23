// Answers that change while a snapshot is in use: names and devices of DHCP leases.
//
// One thread publishes a new table and frees the old one after a grace period
// (control/host/process/published.h). Workers load the pointer for each query and copy the answer.
// They keep no pointer across a quiescent state.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "dataplane/answer/answer_store.h"
#include "dataplane/answer/answer_table.h"
#include "dataplane/answer/lease_devices.h"

namespace steer {

struct LiveTable {
    AnswerStore answers;
    AnswerTable names;              // whole names only: a lookup needs no scratch memory
    AnswerRef nothing = kNoAnswer;  // answer to other types of a known name
    LeaseDevices devices;           // all devices, also those without a name

    // Returns nullptr if the name is unknown. `qname`: lower-cased wire form.
    [[nodiscard]] const dns::Answer* find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                          std::uint16_t qclass,
                                          matchers::NameMatcher::Scratch& scratch) const noexcept;
};

struct LiveAnswers {
    std::atomic<const LiveTable*> table{nullptr};  // nullptr before the first publication
};

}  // namespace steer
