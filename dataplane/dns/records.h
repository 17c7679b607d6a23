// Iterates over the records of a response and checks every name and length (RFC 1035 4.1.3, RFC
// 9267).
//
// Cost: one pass, and a bitmap of the offsets where names may continue: a bit per byte of the
// message. A name that is a pointer to the question's name is not walked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/name.h"
#include "dataplane/dns/rdata.h"

namespace steer::dns {

struct Record {
    std::size_t start;  // offset of the owner name
    std::size_t fixed;  // offset of type, class, TTL and RDLENGTH
    std::size_t rdata;
    std::size_t end;
    std::uint16_t type, klass;
    std::uint32_t ttl_s;  // RFC 2181 8: 0 if the top bit is set
    bool root_owner;
};

class RecordReader {
  public:
    // `at`: offset of the first record, after a checked question.
    RecordReader(std::span<const std::uint8_t> message, std::size_t at)
        : message_(message), at_(at), starts_(message.size()) {}
    // The same, behind one question whose uncompressed name (at kHeaderSize) the caller has checked.
    struct BehindQuestion {};
    RecordReader(BehindQuestion, std::span<const std::uint8_t> message, std::size_t at)
        : RecordReader(message, at) {
        is_question_unread_ = has_question_ = true;
    }

    // Reads the next record. Returns false if it is incomplete or malformed. A name may point to
    // names of earlier records and of the question.
    bool next(Record& out) noexcept;
    // Reads the next name, at an offset inside the message. Returns the offset after it; 0 if it is
    // malformed.
    std::size_t name(std::size_t at, Name* out, bool* compressed = nullptr) noexcept {
        if (has_question_ && out == nullptr && is_pointer_to_question(at)) {
            starts_.allow(at);
            if (compressed != nullptr) *compressed = true;
            return at + sizeof(std::uint16_t);
        }
        if (is_question_unread_) {
            is_question_unread_ = false;
            (void)read_name(message_, kHeaderSize, starts_, nullptr);
        }
        return read_name(message_, at, starts_, out, compressed);
    }
    // Offset of the first name in a record's RDATA; 0 if the RDATA is too short.
    [[nodiscard]] std::size_t rdata_names(const Record& record,
                                          const RdataLayout& layout) const noexcept;

  private:
    bool check_rdata(const Record& record) noexcept;
    [[nodiscard]] bool is_pointer_to_question(std::size_t at) const noexcept {
        constexpr std::uint16_t kPointer = 0xc000 | kHeaderSize;
        return at > kHeaderSize && at + sizeof kPointer <= message_.size() &&
               load_be16(&message_[at]) == kPointer;
    }

    std::span<const std::uint8_t> message_;
    std::size_t at_;
    bool has_question_ = false;
    bool is_question_unread_ = false;  // its labels are no starts yet
    NameStarts starts_;
};

// The answer section of a response that was not checked before, for texts about it. A name may
// point to any byte behind the header. A response without exactly one question has no records here.
class AnswerSection {
  public:
    explicit AnswerSection(std::span<const std::uint8_t> response) noexcept;

    // Reads the next record. Returns false at the end, or if it is incomplete or malformed.
    bool next(Record& out) noexcept;
    // Whether next() returned all records that the header counts.
    [[nodiscard]] bool is_complete() const noexcept { return left_ == 0; }
    // The bytes of a record's RDATA, and the name in them (CNAME).
    [[nodiscard]] std::span<const std::uint8_t> rdata(const Record& record) const noexcept {
        return message_.subspan(record.rdata, record.end - record.rdata);
    }
    bool target(const Record& record, Name& out) noexcept {
        return read_name(message_, record.rdata, anywhere_, &out) != 0;
    }

  private:
    std::span<const std::uint8_t> message_;
    RecordReader records_;
    NameStarts anywhere_;
    unsigned left_ = 0;
    bool is_readable_ = false;
};

}  // namespace steer::dns
