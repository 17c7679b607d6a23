// What changes while a snapshot stays in force: the names of DHCP leases, and the devices that have their addresses.
//
// One thread puts a new table in the place of the one before and frees that after a grace period (control/process/published.h);
// workers load the pointer for each query and hold nothing of the table over a quiescent state: what is found is copied.
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
    AnswerTable names;              // of whole names alone, so that no scratch has to be prepared
    AnswerRef nothing = kNoAnswer;  // what its names get for other types
    LeaseDevices devices;           // with and without a name

    // nullptr: the name is not known here. `qname`: lower-cased wire form.
    [[nodiscard]] const dns::Answer* find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                          std::uint16_t qclass,
                                          matchers::NameMatcher::Scratch& scratch) const noexcept;
};

struct LiveAnswers {
    std::atomic<const LiveTable*> table{nullptr};  // nullptr: there is none yet
};

}  // namespace steer
