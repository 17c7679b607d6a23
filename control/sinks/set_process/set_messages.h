// The messages between steerdnsd and steerdns-sets: each is one datagram of a SOCK_SEQPACKET pair.
//
// A message has a head, then records with a fixed layout, with numbers in this machine's byte
// order. Both ends belong to one installation; a head of another version is rejected. encode_*()
// and decode() are pure. decode() accepts any bytes and returns no value for an invalid message.
// Texts are cut at kMaxText bytes.
//
// Plans have a number that increases with each configure(). Rows, lost lists and states carry the
// number of their plans, so that reports about former plans are recognised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/sinks/set_process/kernel_set.h"
#include "control/sinks/set_process/set_report.h"

namespace steer::sets {

inline constexpr std::uint16_t kMessageVersion = 3;
inline constexpr std::size_t kMaxMessage = 64 * 1024;  // bytes
inline constexpr std::size_t kMaxText = 1024;          // bytes
inline constexpr std::size_t kMaxRows = 2048;          // rows, lists or prefixes of one message

enum class MessageKind : std::uint16_t {
    // to steerdns-sets
    plans_begin,
    plan,
    never_claim,  // prefixes for the preceding plan
    plans_end,
    claims,
    // from steerdns-sets
    written,
    lost,
    log,
    state,
    refused,
    count_
};

struct MessageHead {
    std::uint16_t version;
    std::uint16_t kind;
    std::uint32_t bytes;  // of the message, this head included
    std::uint32_t plans;  // their number
    std::uint32_t count;  // of records
};
static_assert(sizeof(MessageHead) == 16);

// An address of a list, and its end (CLOCK_BOOTTIME, seconds).
struct RowRecord {
    std::uint8_t address[16];
    std::uint32_t until_s;
    std::uint16_t list;
    std::uint16_t reserved;
};
static_assert(sizeof(RowRecord) == 24);
static_assert(sizeof(MessageHead) + kMaxRows * sizeof(RowRecord) <= kMaxMessage);

// A claim, and the reason of a refused one; then the bytes of the name.
struct ClaimRecord {
    RowRecord row;
    std::uint32_t holders[routeros::kShareKinds];
    std::uint8_t client[16];
    std::uint8_t has_client;
    std::uint8_t refusal;    // ClaimRefusal; kNoRefusal: none
    std::uint8_t of_client;  // RefusedClaim::of_client
    std::uint8_t name_bytes;
};
inline constexpr std::uint8_t kNoRefusal = 0xff;
static_assert(sizeof(ClaimRecord) == 68);
inline constexpr std::size_t kMostClaims =
    (kMaxMessage - sizeof(MessageHead)) / sizeof(ClaimRecord);  // of one message, without names

struct PrefixRecord {
    std::uint8_t address[16];
    std::uint8_t length;
    std::uint8_t reserved[7];
};
static_assert(sizeof(PrefixRecord) == 24);

// The decoded messages.
struct PlansBegin {};
struct PlansEnd {};
struct PlanPart {
    SetPlan plan;  // without never_claim
};
struct NeverPart {
    std::vector<matchers::Prefix> prefixes;
};
struct ClaimRows {
    std::vector<ClaimRow> rows;
};
struct WrittenRows {
    std::vector<Installed> rows;
};
struct RefusedRows {
    std::vector<RefusedRow> rows;
};
struct LostLists {
    std::vector<ListId> lists;
};
struct LogLine {
    Level level = Level::info;
    std::string text;
};
// One set of `total`, sent in order. Without sets: one message with a total of 0.
struct SetState {
    std::uint32_t index = 0, total = 0;
    std::uint32_t write_us = 0;  // how long a write of elements takes, smoothed; 0: none yet
    SetStatus status;
};

struct SetMessage {
    std::uint32_t plans = 0;
    std::variant<PlansBegin, PlansEnd, PlanPart, NeverPart, ClaimRows, WrittenRows, RefusedRows,
                 LostLists, LogLine, SetState>
        what;
};

// All of them, in order.
std::vector<std::string> encode_plans(std::uint32_t number, const std::vector<SetPlan>& plans);
// At most kMaxRows rows or lists; the caller splits longer ones.
// Of claims and refused rows, as many as fit (fitting()).
std::string encode_claims(std::uint32_t plans, std::span<const ClaimRow> rows);
std::string encode_written(std::uint32_t plans, std::span<const Installed> rows);
std::string encode_refused(std::uint32_t plans, std::span<const RefusedRow> rows);
std::string encode_lost(std::uint32_t plans, std::span<const ListId> lists);
std::string encode_log(Level level, std::string_view text);
std::string encode_state(std::uint32_t plans, const SetState& state);

// The first rows that fit into one message; at least one of several.
std::span<const ClaimRow> fitting(std::span<const ClaimRow> rows);
std::span<const RefusedRow> fitting(std::span<const RefusedRow> rows);
std::span<const Installed> fitting(std::span<const Installed> rows);

// No value: not a message of this version, or invalid content.
std::optional<SetMessage> decode(std::string_view bytes);

}  // namespace steer::sets
