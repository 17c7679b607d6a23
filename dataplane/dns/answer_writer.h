// Rewrites an answer record by record: under another name, with more or fewer records, or with
// other data. Reads names from the old body, compresses them again, and builds correct tables and
// sums.
//
// Call begin() with the head of the new answer; its counts are the numbers of records and addresses
// that follow. Then write the records in order, then call finish(). A function returns false if
// space is missing or a record does not fit the old body; the block is then invalid. Pure, no
// allocation. Cost: one pass over the body, at most 64 comparisons per label.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/dns/answer.h"
#include "dataplane/dns/compress.h"

namespace steer::dns {

// A record in an answer's body.
struct BodyRecord {
    Name owner;
    std::size_t rdata = 0, end = 0;  // offsets in the body; the next one begins at `end`
    std::uint16_t type = 0, klass = 0;
    std::uint32_t ttl_s = 0;  // the remaining TTL
};

class AnswerWriter {
  public:
    // `from` answers the name `asked`; the new answer is for `name`. Both in lower-cased wire form.
    // `age_s` lowers the TTLs.
    AnswerWriter(const Answer& from, std::span<const std::uint8_t> asked,
                 std::span<const std::uint8_t> name, std::uint32_t age_s,
                 std::span<std::uint8_t> block)
        : from_(from), asked_(asked), name_(name), age_s_(age_s), block_(block) {}

    bool begin(const Answer& head) noexcept;
    // Reads record number `record`, at offset `at` of the old body (0: the first). The next record
    // begins at `out.end`.
    bool read(unsigned record, std::size_t at, BodyRecord& out) const noexcept;
    // Writes the record unchanged, except for its TTL.
    bool copy(const BodyRecord& record) noexcept;
    // Writes a record with an owner of the old answer, or any other name, and data without
    // compressed names. With `is_address`, its TTL counts for Answer::address_ttl_s.
    bool put(const Name& owner, std::uint16_t type, std::uint32_t ttl_s,
             std::span<const std::uint8_t> rdata, bool is_address) noexcept;
    // Writes `name CNAME asked`.
    bool put_cname(std::uint32_t ttl_s) noexcept;
    // Completes the tables. Returns the total size; 0 if the counts differ from those of begin().
    std::size_t finish() noexcept;

    [[nodiscard]] std::span<const std::uint8_t> data_of(const BodyRecord& record) const noexcept {
        return {from_.body() + record.rdata, record.end - record.rdata};
    }

  private:
    // The current record has an address or hints.
    void note_ttl_of_address(std::uint32_t ttl_s) noexcept {
        address_ttl_s_ = std::max(address_ttl_s_, ttl_s);
        has_additional_ = has_additional_ || records_ > out_.ancount;
    }
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
    bool has_additional_ = false;  // as Answer::has_additional
    std::uint32_t least_ttl_s_ = UINT32_MAX, address_ttl_s_ = 0;
};

}  // namespace steer::dns
