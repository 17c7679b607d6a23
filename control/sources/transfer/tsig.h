// Transaction signatures (RFC 8945) of queries, responses, NOTIFY, and transfers over several
// messages (5.3.1).
//
// ldns verifies one message at a time and checks no time. A transfer may have up to 99 messages
// without a signature in between. So OpenSSL makes the digests here
// (docs/explanation/decisions/0038-zone-transfers.md). Truncated MACs are refused. Pure; the caller
// gives the time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/settings/secondary_settings.h"
#include "control/sources/transfer/zone_name.h"
#include "matchers/result.h"

struct evp_mac_ctx_st;

namespace steer::transfer {

inline constexpr unsigned kTsigFudgeS = 300;

// The TSIG record at the end of a message.
struct TsigRecord {
    std::size_t at = 0;  // its offset: the signed message ends there
    Bytes key, algorithm;
    std::uint64_t time_s = 0;
    std::uint16_t fudge_s = 0, original_id = 0, error = 0;
    Bytes mac, other;
};
// No value: the message has none. Error: it is malformed, or its TSIG is not the last record.
Result<std::optional<TsigRecord>> find_tsig(ByteSpan message);

// Signs a query; returns its MAC, which the response's includes.
Bytes sign_query(Bytes& message, const config::TsigKey& key, std::uint64_t now_s);
// The result of verifying the signature of a query.
struct QueryCheck {
    bool is_good = false;            // signed with the key, and in time
    bool is_malformed = false;       // the query has a TSIG record against the RFC: FORMERR
    std::uint16_t error = 0;         // TSIG error of the response; 0: none, or no TSIG record
    std::string why;                 // for the log, if not good
    std::optional<TsigRecord> tsig;  // of the query; no value: unsigned or malformed
};
// Verifies a query, also an unsigned or malformed one (RFC 8945 5.2). `now_s`: since 1970.
QueryCheck verify_query(ByteSpan message, const config::TsigKey& key, std::uint64_t now_s);
// Whether a signature names this key: then verify_query() makes a digest.
bool is_signed_with(ByteSpan message, const config::TsigKey& key);
// Signs the response to a query with a TSIG record. With BADKEY and BADSIG it has the query's key
// and no MAC. With BADTIME it has the query's time and fudge, and our time as other data (RFC 8945
// 5.2.3).
void sign_response(Bytes& message, const config::TsigKey& key, const QueryCheck& query,
                   std::uint64_t now_s);

// Verifies the messages of one response, in their order.
class TsigStream {
  public:
    // `query_mac`: of the query.
    TsigStream(const config::TsigKey& key, Bytes query_mac);
    ~TsigStream();
    TsigStream(const TsigStream&) = delete;
    TsigStream& operator=(const TsigStream&) = delete;

    // Takes the signature off. Error: it is wrong, or missing where it must be.
    Result<void> take(Bytes& message, std::uint64_t now_s);
    // The last message was signed.
    [[nodiscard]] bool is_signed() const { return unsigned_ == 0 && !is_first_; }

  private:
    struct Free {
        void operator()(evp_mac_ctx_st* context) const;
    };
    void begin(ByteSpan earlier_mac);

    const config::TsigKey& key_;
    std::unique_ptr<evp_mac_ctx_st, Free> context_;
    bool is_first_ = true;
    unsigned unsigned_ = 0;  // messages since the last signed one
};

// "BADKEY", "BADSIG", "BADTIME", "BADTRUNC", or the number.
std::string tsig_error_name(std::uint16_t error);
inline constexpr std::uint16_t kBadSig = 16, kBadKey = 17, kBadTime = 18, kBadTrunc = 22;

}  // namespace steer::transfer
