// The messages of a zone transfer: queries, and the reader of responses (RFC 5936, RFC 1995).
//
// Pure; any bytes are accepted. A response is one stream of records over several messages. It
// begins and ends with the zone's SOA. To an IXFR query the primary may send differences, the whole
// zone, or one SOA if nothing changed. Records outside the zone and of other classes are left out
// and counted. Memory is bounded by Limits: names are counted uncompressed. Cost: one pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/sources/transfer/zone_contents.h"
#include "matchers/result.h"

namespace steer::transfer {

enum class AskFor : std::uint8_t { soa, ixfr, axfr };

// `have`: the SOA's RDATA for IXFR.
Bytes transfer_query(AskFor what, ByteSpan zone, std::uint16_t id, ByteSpan have = {});

// The response code of a response with this id; Error: it is another message, or truncated.
Result<std::uint8_t> response_code(ByteSpan message, std::uint16_t id);

// Calls visit(owner, record, class) for each record of the answer section, with canonical names.
// Error: malformed.
Result<void> read_records(
    ByteSpan message, const std::function<Result<void>(Bytes&, ZoneRecord, std::uint16_t)>& visit);

class TransferReader {
  public:
    struct Limits {
        std::uint64_t bytes = 0;  // received, and in memory
        std::size_t records = 0;
    };
    enum class State : std::uint8_t { more, complete };
    enum class Kind : std::uint8_t { none, unchanged, whole, differences };

    // `have`: the serial of our zone, for a response to IXFR. No value: to AXFR. `newer_than`: a
    // response to AXFR must have a newer serial than this.
    TransferReader(Bytes zone, std::optional<std::uint32_t> have, Limits limits,
                   std::optional<std::uint32_t> newer_than = std::nullopt)
        : zone_(std::move(zone)), have_(have), newer_than_(newer_than), limits_(limits) {}

    // One message, without its signature. Error: malformed, or above a limit.
    Result<State> take(ByteSpan message);

    [[nodiscard]] Kind kind() const { return kind_; }
    // Whether the error of take() is a limit.
    [[nodiscard]] bool is_too_large() const { return is_too_large_; }
    [[nodiscard]] std::size_t left_out() const { return left_out_; }
    // Once complete.
    [[nodiscard]] ZoneImageBuilder& whole() { return whole_; }
    [[nodiscard]] const std::vector<ZoneDifference>& differences() const { return differences_; }

  private:
    Result<void> take_record(Bytes& owner, const ZoneRecord& record, std::uint16_t klass);
    Result<void> take_soa(Bytes& owner, const ZoneRecord& record);
    Result<void> take_first(const ZoneRecord& record);
    Result<void> take_difference_soa(const Bytes& owner, const ZoneRecord& record,
                                     std::uint32_t serial);
    void put(const Bytes& owner, const ZoneRecord& record);
    [[nodiscard]] Result<void> check_limits();

    const Bytes zone_;
    const std::optional<std::uint32_t> have_, newer_than_;
    const Limits limits_;
    Kind kind_ = Kind::none;
    bool is_complete_ = false, is_adding_ = false, is_too_large_ = false;
    Bytes first_soa_;  // RDATA
    std::uint32_t first_ttl_s_ = 0, serial_ = 0;
    std::size_t taken_ = 0, left_out_ = 0;
    std::uint64_t bytes_ = 0, difference_bytes_ = 0;
    ZoneImageBuilder whole_;
    std::vector<ZoneDifference> differences_;
};

}  // namespace steer::transfer
