#include "control/sources/transfer/tsig.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "control/sources/transfer/wire_bytes.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"

namespace steer::transfer {
namespace {

constexpr unsigned kMostUnsigned = 99;  // RFC 8945 5.3.1
constexpr std::size_t kAdditionalCount = 10;
constexpr std::size_t kLeastMac = 10;  // RFC 8945 5.2.2.1
constexpr std::string_view kHmac = "hmac-";

using Context = evp_mac_ctx_st;

Bytes algorithm_name(const config::TsigKey& key) {
    return *dns::name_from_text(key.algorithm);
}

// OpenSSL without these digests, or without memory, is no place to go on.
[[noreturn]] void refuse() {
    std::fputs("OpenSSL cannot make an HMAC for TSIG\n", stderr);
    std::abort();
}

Context* new_context(const config::TsigKey& key) {
    EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    Context* const context = mac == nullptr ? nullptr : EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (context == nullptr) refuse();
    std::string digest = key.algorithm.substr(kHmac.size());
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    const std::string_view secret = key.secret.text();
    if (EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                     parameters.data()) != 1)
        refuse();
    return context;
}

void update(Context* context, ByteSpan bytes) {
    if (EVP_MAC_update(context, bytes.data(), bytes.size()) != 1) refuse();
}

Bytes final_of(Context* context) {
    Bytes mac(EVP_MAX_MD_SIZE);
    std::size_t length = 0;
    if (EVP_MAC_final(context, mac.data(), &length, mac.size()) != 1) refuse();
    mac.resize(length);
    return mac;
}

void add_mac(Context* context, ByteSpan mac) {
    Bytes length;
    put16(length, static_cast<std::uint16_t>(mac.size()));
    update(context, length);
    update(context, mac);
}

// A message as it was signed: its original id, without the TSIG record (RFC 8945 4.3.2).
void add_message(Context* context, ByteSpan message, const TsigRecord* tsig) {
    std::array<std::uint8_t, dns::kHeaderSize> header;
    std::ranges::copy(message.first(header.size()), header.begin());
    if (tsig != nullptr) {
        dns::store_be16(header.data(), tsig->original_id);
        const unsigned count = dns::load_be16(&header[kAdditionalCount]);
        dns::store_be16(&header[kAdditionalCount], static_cast<std::uint16_t>(count - 1));
    }
    update(context, header);
    const std::size_t end = tsig != nullptr ? tsig->at : message.size();
    update(context, message.subspan(header.size(), end - header.size()));
}

// The variables of the record (RFC 8945 4.3.3).
void add_variables(Context* context, const TsigRecord& tsig) {
    Bytes out = tsig.key;
    put16(out, dns::kAnyClass);
    put32(out, 0);
    put_bytes(out, tsig.algorithm);
    put48(out, tsig.time_s);
    put16(out, tsig.fudge_s);
    put16(out, tsig.error);
    put16(out, static_cast<std::uint16_t>(tsig.other.size()));
    put_bytes(out, tsig.other);
    update(context, out);
}
void add_timers(Context* context, const TsigRecord& tsig) {
    Bytes out;
    put48(out, tsig.time_s);
    put16(out, tsig.fudge_s);
    update(context, out);
}

void append(Bytes& message, const TsigRecord& tsig) {
    Bytes rdata = tsig.algorithm;
    put48(rdata, tsig.time_s);
    put16(rdata, tsig.fudge_s);
    put16(rdata, static_cast<std::uint16_t>(tsig.mac.size()));
    put_bytes(rdata, tsig.mac);
    put16(rdata, tsig.original_id);
    put16(rdata, tsig.error);
    put16(rdata, static_cast<std::uint16_t>(tsig.other.size()));
    put_bytes(rdata, tsig.other);
    put_bytes(message, tsig.key);
    put16(message, dns::kTsig);
    put16(message, dns::kAnyClass);
    put32(message, 0);
    put16(message, static_cast<std::uint16_t>(rdata.size()));
    put_bytes(message, rdata);
    const unsigned count = dns::load_be16(&message[kAdditionalCount]);
    dns::store_be16(&message[kAdditionalCount], static_cast<std::uint16_t>(count + 1));
}

TsigRecord new_record(const Bytes& message, const config::TsigKey& key, std::uint64_t now_s) {
    TsigRecord tsig;
    tsig.key = key.name;
    tsig.algorithm = algorithm_name(key);
    tsig.time_s = now_s;
    tsig.fudge_s = kTsigFudgeS;
    tsig.original_id = dns::load_be16(message.data());
    return tsig;
}

// Whether a MAC, perhaps truncated, belongs to the same message.
bool is_front_of(ByteSpan mac, ByteSpan whole) {
    return mac.size() >= std::max(kLeastMac, whole.size() / 2) && mac.size() <= whole.size() &&
           CRYPTO_memcmp(mac.data(), whole.data(), mac.size()) == 0;
}

// A truncated MAC needs a policy that we do not have.
bool same_mac(ByteSpan a, ByteSpan b) {
    return a.size() == b.size() && is_front_of(a, b);
}

bool is_of(const TsigRecord& tsig, const config::TsigKey& key) {
    return tsig.key == key.name && tsig.algorithm == algorithm_name(key);
}

// The sender chooses its fudge, up to 18 hours, in which a message can be repeated.
bool is_in_time(const TsigRecord& tsig, std::uint64_t now_s) {
    const std::uint64_t apart = now_s > tsig.time_s ? now_s - tsig.time_s : tsig.time_s - now_s;
    return apart <= std::min<unsigned>(tsig.fudge_s, kTsigFudgeS);
}

Error late(const TsigRecord& tsig, std::uint64_t now_s) {
    const auto apart = static_cast<std::int64_t>(now_s - tsig.time_s);
    return Error{"the clocks differ by " + std::to_string(apart) +
                 " s, which is more than TSIG allows"};
}

// Some signers compress the name of the key. A name may continue at any byte behind the header.
std::optional<Bytes> name_at(ByteSpan message, std::size_t at, std::size_t& end) {
    dns::NameStarts starts;
    starts.allow(dns::kHeaderSize, message.size());
    dns::Name name;
    end = dns::read_name(message, at, starts, &name);
    if (end == 0) return std::nullopt;
    Bytes out(name.bytes().begin(), name.bytes().end());
    lower_name(out);
    return out;
}

// The record at the end of the message (RFC 8945 4.2): its owner is at `start`. No value: it is
// malformed.
std::optional<TsigRecord> read_tsig(ByteSpan message, std::size_t start, std::size_t rdata) {
    constexpr std::size_t kTimes = 10, kTail = 6;
    TsigRecord tsig;
    tsig.at = start;
    std::size_t next = 0;
    const auto key = name_at(message, start, next);
    const auto algorithm = name_at(message, rdata, next);
    if (!key || !algorithm || next + kTimes > message.size()) return std::nullopt;
    tsig.key = *key;
    tsig.algorithm = *algorithm;
    tsig.time_s =
        std::uint64_t{dns::load_be16(&message[next])} << 32 | dns::load_be32(&message[next + 2]);
    tsig.fudge_s = dns::load_be16(&message[next + 6]);
    const std::size_t mac = dns::load_be16(&message[next + 8]);
    next += kTimes;
    if (next + mac + kTail > message.size()) return std::nullopt;
    const auto bytes = [&](std::size_t from, std::size_t count) {
        const ByteSpan part = message.subspan(from, count);
        return Bytes(part.begin(), part.end());
    };
    tsig.mac = bytes(next, mac);
    next += mac;
    tsig.original_id = dns::load_be16(&message[next]);
    tsig.error = dns::load_be16(&message[next + 2]);
    const std::size_t other = dns::load_be16(&message[next + 4]);
    if (next + kTail + other != message.size()) return std::nullopt;
    tsig.other = bytes(next + kTail, other);
    return tsig;
}

}  // namespace

std::string tsig_error_name(std::uint16_t error) {
    switch (error) {
        case kBadSig:
            return "BADSIG";
        case kBadKey:
            return "BADKEY";
        case kBadTime:
            return "BADTIME";
        case kBadTrunc:
            return "BADTRUNC";
        default:
            return std::to_string(error);
    }
}

Result<std::optional<TsigRecord>> find_tsig(ByteSpan message) {
    const Error malformed{"a malformed message"};
    if (message.size() < dns::kHeaderSize) return malformed;
    std::size_t at = dns::kHeaderSize;
    for (unsigned q = dns::load_be16(&message[4]); q > 0; --q) {
        at = dns::skip_name(message, at);
        if (at == 0 || at + dns::kTypeAndClass > message.size()) return malformed;
        at += dns::kTypeAndClass;
    }
    const unsigned others = dns::load_be16(&message[6]) + dns::load_be16(&message[8]);
    const unsigned records = others + dns::load_be16(&message[kAdditionalCount]);
    for (unsigned i = 0; i < records; ++i) {
        const std::size_t start = at;
        at = dns::skip_name(message, at);
        if (at == 0 || at + dns::kRecordFixed > message.size()) return malformed;
        const std::uint16_t type = dns::load_be16(&message[at]);
        const std::size_t rdata = at + dns::kRecordFixed;
        const std::size_t end = rdata + dns::load_be16(&message[at + 8]);
        if (end > message.size()) return malformed;
        at = end;
        if (type != dns::kTsig) continue;
        if (i + 1 != records || i < others || end != message.size())
            return Error{"a TSIG record that is not the last one"};
        const bool is_plain = dns::load_be16(&message[rdata - 8]) == dns::kAnyClass &&
                              dns::load_be32(&message[rdata - 6]) == 0;
        auto tsig = read_tsig(message, start, rdata);
        if (!tsig || !is_plain) return malformed;
        return {boost::system::in_place_value, std::move(tsig)};
    }
    return {boost::system::in_place_value, std::nullopt};
}

Bytes sign_query(Bytes& message, const config::TsigKey& key, std::uint64_t now_s) {
    TsigRecord tsig = new_record(message, key, now_s);
    Context* const context = new_context(key);
    add_message(context, message, nullptr);
    add_variables(context, tsig);
    tsig.mac = final_of(context);
    EVP_MAC_CTX_free(context);
    append(message, tsig);
    return tsig.mac;
}

void sign_response(Bytes& message, const config::TsigKey& key, const QueryCheck& query,
                   std::uint64_t now_s) {
    TsigRecord tsig = new_record(message, key, now_s);
    tsig.error = query.error;
    const bool has_mac = query.error != kBadKey && query.error != kBadSig;
    if (!has_mac) {
        tsig.key = query.tsig->key;
        tsig.algorithm = query.tsig->algorithm;
    } else if (query.error == kBadTime) {
        tsig.time_s = query.tsig->time_s;
        tsig.fudge_s = query.tsig->fudge_s;
        put48(tsig.other, now_s);
    }
    if (has_mac) {
        Context* const context = new_context(key);
        add_mac(context, query.tsig->mac);
        add_message(context, message, nullptr);
        add_variables(context, tsig);
        tsig.mac = final_of(context);
        EVP_MAC_CTX_free(context);
    }
    append(message, tsig);
}

bool is_signed_with(ByteSpan message, const config::TsigKey& key) {
    const auto found = find_tsig(message);
    return found && *found && is_of(**found, key);
}

QueryCheck verify_query(ByteSpan message, const config::TsigKey& key, std::uint64_t now_s) {
    auto found = find_tsig(message);
    if (!found) return {.is_malformed = true, .why = found.error().text};
    if (!*found) return {.why = "it is not signed"};
    QueryCheck out{.tsig = *std::move(found)};
    const auto refuse = [&out](std::uint16_t error, std::string why) {
        out.error = error;
        out.why = std::move(why);
        return std::move(out);
    };
    const TsigRecord& tsig = *out.tsig;
    if (!is_of(tsig, key))
        return refuse(kBadKey, "it is signed by another key, or with another algorithm");
    Context* const context = new_context(key);
    add_message(context, message, &tsig);
    add_variables(context, tsig);
    const Bytes mac = final_of(context);
    EVP_MAC_CTX_free(context);
    if (!is_front_of(tsig.mac, mac)) return refuse(kBadSig, "its signature is wrong");
    if (tsig.mac.size() != mac.size()) return refuse(kBadTrunc, "its signature is truncated");
    // BADTIME: the MAC is right, so the response is signed (RFC 8945 5.2.3).
    if (!is_in_time(tsig, now_s)) return refuse(kBadTime, late(tsig, now_s).text);
    out.is_good = true;
    return out;
}

// ---- a response

void TsigStream::Free::operator()(evp_mac_ctx_st* context) const {
    EVP_MAC_CTX_free(context);
}

TsigStream::TsigStream(const config::TsigKey& key, Bytes query_mac) : key_(key) {
    begin(query_mac);
}
TsigStream::~TsigStream() = default;

void TsigStream::begin(ByteSpan earlier_mac) {
    context_.reset(new_context(key_));
    add_mac(context_.get(), earlier_mac);
    unsigned_ = 0;
}

Result<void> TsigStream::take(Bytes& message, std::uint64_t now_s) {
    const auto found = find_tsig(message);
    if (!found) return found.error();
    if (!*found) {
        if (is_first_) return Error{"the primary does not sign its answers: its key is missing"};
        if (++unsigned_ > kMostUnsigned) return Error{"more than 99 messages without a signature"};
        add_message(context_.get(), message, nullptr);
        return {};
    }
    const TsigRecord& tsig = **found;
    if (tsig.error != 0)
        return Error{"the primary refuses the signature: " + tsig_error_name(tsig.error) +
                     (tsig.error == kBadTime ? "; compare the clocks"
                                             : "; compare name, algorithm and secret of the key")};
    if (!is_of(tsig, key_)) return Error{"the primary signs with another key or algorithm"};
    add_message(context_.get(), message, &tsig);
    is_first_ ? add_variables(context_.get(), tsig) : add_timers(context_.get(), tsig);
    if (!same_mac(final_of(context_.get()), tsig.mac))
        return Error{"a signature is wrong; compare the secret of the key"};
    if (!is_in_time(tsig, now_s)) return late(tsig, now_s);
    message.resize(tsig.at);
    const unsigned count = dns::load_be16(&message[kAdditionalCount]);
    dns::store_be16(&message[kAdditionalCount], static_cast<std::uint16_t>(count - 1));
    is_first_ = false;
    begin(tsig.mac);
    return {};
}

}  // namespace steer::transfer
