// Writes an answer anew, record by record: under another name, with records more, fewer, or with other data. What all such
// changes share: names are read from the old body and compressed anew, tables and sums are right again.
//
// Use: begin() with the head that the new answer will have (its counts say how many records and addresses will be put),
// then the records in their order, then finish(). Everything returns false where there is no room or a record does not
// fit the old body; the block is of no use then. Pure, no allocation. Cost: one pass over the body, at most 64
// comparisons a label.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/dns/answer.h"
#include "dataplane/dns/compress.h"

namespace steer::dns {

// A record of an answer as its body has it.
struct BodyRecord {
    Name owner;
    std::size_t rdata = 0, end = 0;  // offsets in the body; the next one begins at `end`
    std::uint16_t type = 0, klass = 0;
    std::uint32_t ttl_s = 0;  // what is left of it
};

class AnswerWriter {
  public:
    // `from` is about the name `asked`, the new answer about `name`: lower-cased wire form. TTLs are lowered by `age_s`.
    AnswerWriter(const Answer& from, std::span<const std::uint8_t> asked,
                 std::span<const std::uint8_t> name, std::uint32_t age_s,
                 std::span<std::uint8_t> block)
        : from_(from), asked_(asked), name_(name), age_s_(age_s), block_(block) {}

    bool begin(const Answer& head) noexcept;
    // Record number `record`, which begins at offset `at` of the old body (0: the first). Its end is where the next begins.
    bool read(unsigned record, std::size_t at, BodyRecord& out) const noexcept;
    // As it is, but for its TTL.
    bool copy(const BodyRecord& record) noexcept;
    // With an owner of the old answer, or any other name, and data without compressed names. An address record or one
    // with hints counts for Answer::address_ttl_s if `is_address`.
    bool put(const Name& owner, std::uint16_t type, std::uint32_t ttl_s,
             std::span<const std::uint8_t> rdata, bool is_address) noexcept;
    // `name CNAME asked`.
    bool put_cname(std::uint32_t ttl_s) noexcept;
    // Completes the tables. Returns the size of the whole; 0: other counts than begin() was told.
    std::size_t finish() noexcept;

    [[nodiscard]] std::span<const std::uint8_t> data_of(const BodyRecord& record) const noexcept {
        return {from_.body() + record.rdata, record.end - record.rdata};
    }

  private:
    bool put_head(const Name& owner, std::uint16_t type, std::uint16_t klass,
                  std::uint32_t ttl_s) noexcept;
    bool copy_rdata(const BodyRecord& record) noexcept;
    void note_address(std::uint16_t type, std::uint16_t klass, std::size_t rdata) noexcept;
    void end_rdata(std::size_t rdata) noexcept;

    const Answer& from_;
    std::span<const std::uint8_t> asked_, name_;
    std::uint32_t age_s_;
    std::span<std::uint8_t> block_, room_;
    Answer out_{};
    std::optional<BodyWriter> writer_;
    std::uint16_t* ttl_at_ = nullptr;
    AddressRef* address_at_ = nullptr;
    unsigned records_ = 0, addresses_ = 0;
    bool too_many_addresses_ = false;
    std::uint32_t least_ttl_s_ = UINT32_MAX, address_ttl_s_ = 0;
};

}  // namespace steer::dns
