#include "control/streams/quic/first_packets.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "control/streams/quic/ngtcp2_ids.h"
#include "control/streams/quic/tls.h"

namespace steer::quic {
namespace {

constexpr Nanoseconds kRetryLife = 10 * kSecond;
constexpr Nanoseconds kTokenLife = 24 * 3600 * kSecond;

// A token is its kind, what it says, and a proof (HMAC-SHA-256) of that and of the client's address.
// ngtcp2's tokens derive a key for each, which takes several times as long: strangers cause it.
// In a Retry: the time of day, and the client's first id for us. For later: the time in hours,
// because it is not encrypted and may not show the connection (RFC 9000 8.1.3), and random bytes.
enum class TokenKind : std::uint8_t { retry = 0xb6, later = 0x36 };
constexpr std::size_t kProof = 16, kTime = 8, kSalt = 8;
constexpr Nanoseconds kHour = 3600 * kSecond;

class Token {
  public:
    Token() = default;
    explicit Token(TokenKind kind) { put(kind); }
    template <class T>
    requires std::is_trivially_copyable_v<T>
    void put(const T& value) {
        put_bytes({reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
    }
    void put_bytes(std::span<const std::uint8_t> bytes) {
        std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
        used_ += bytes.size();
    }
    void put_id(const ConnectionId& id) {
        put(id.length);
        put_bytes(id.view());
    }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const {
        return std::span(bytes_).first(used_);
    }
    // Of these bytes.
    [[nodiscard]] std::array<std::uint8_t, kProof> proof(const QuicSecrets& secrets) const {
        std::array<std::uint8_t, 32> whole{};
        if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, secrets.tokens.data(), secrets.tokens.size(),
                             bytes_.data(), used_, whole.data()) < 0)
            std::abort();
        std::array<std::uint8_t, kProof> first{};
        std::copy_n(whole.begin(), kProof, first.begin());
        return first;
    }

  private:
    std::array<std::uint8_t, 128> bytes_{};
    std::size_t used_ = 0;
};

// The proof of what a token says. `own`: the id of a Retry.
std::array<std::uint8_t, kProof> proof_of(std::span<const std::uint8_t> head, const QuicPath& path,
                                          const ConnectionId* own, const QuicSecrets& secrets) {
    Token text;
    text.put(static_cast<std::uint8_t>(head.size()));
    text.put_bytes(head);
    text.put(path.remote.address().bytes);
    if (own != nullptr) {
        text.put(path.remote.port());
        text.put_id(*own);
    }
    return text.proof(secrets);
}

bool is_proof(std::span<const std::uint8_t> given, std::span<const std::uint8_t> right) {
    return gnutls_memcmp(given.data(), right.data(), kProof) == 0;
}

Nanoseconds time_in(std::span<const std::uint8_t> token) {
    Nanoseconds at = 0;
    std::memcpy(&at, &token[1], sizeof at);
    return at;
}

TokenProof judge_retry(std::span<const std::uint8_t> token, const ConnectionId& own,
                       const QuicPath& path, const QuicSecrets& secrets, Nanoseconds wall_now) {
    constexpr std::size_t kHead = 1 + kTime;
    constexpr TokenProof kInvalid{TokenProof::Kind::invalid, {}};
    if (token.size() <= kHead + kProof || token.size() > kHead + ConnectionId::kMost + kProof)
        return kInvalid;
    const auto head = token.first(token.size() - kProof);
    if (!is_proof(token.last(kProof), proof_of(head, path, &own, secrets)) ||
        time_in(head) + kRetryLife <= wall_now)
        return kInvalid;
    return {TokenProof::Kind::address, ConnectionId(head.subspan(kHead))};
}

bool is_later(std::span<const std::uint8_t> token, const QuicPath& path, const QuicSecrets& secrets,
              Nanoseconds wall_now) {
    if (token.size() != 1 + kTime + kSalt + kProof) return false;
    const auto head = token.first(token.size() - kProof);
    return is_proof(token.last(kProof), proof_of(head, path, nullptr, secrets)) &&
           time_in(head) + kTokenLife > wall_now;
}

// A reset shorter than this shows that it is one (RFC 9000 10.3).
constexpr std::size_t kSmallestReset = 21, kLargestReset = 43;

// Drafts are not served, whatever ngtcp2 knows.
constexpr std::array<std::uint32_t, 1> kVersions{NGTCP2_PROTO_VER_V1};

// Room for any of these packets; they hold a token at most.
std::vector<std::uint8_t> room() {
    return std::vector<std::uint8_t>(kSmallestMtu);
}

std::vector<std::uint8_t> cut(std::vector<std::uint8_t> packet, ngtcp2_ssize length) {
    packet.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return packet;
}

}  // namespace

DatagramHead read_head(std::span<const std::uint8_t> datagram) {
    DatagramHead head;
    if (datagram.empty()) return head;  // ngtcp2 would end the process
    ngtcp2_version_cid parsed{};
    const int error = ngtcp2_pkt_decode_version_cid(&parsed, datagram.data(), datagram.size(),
                                                    ConnectionId::kOwn);
    if (error != 0 && error != NGTCP2_ERR_VERSION_NEGOTIATION) return head;
    // Ids of other versions may be longer; they come back in Version Negotiation only.
    if (parsed.dcidlen > ConnectionId::kMost || parsed.scidlen > ConnectionId::kMost) return head;
    head.version = parsed.version;
    head.destination = ConnectionId({parsed.dcid, parsed.dcidlen});
    head.source = ConnectionId({parsed.scid, parsed.scidlen});
    constexpr std::uint8_t kLong = 0x80;  // the next bit may have any value (RFC 9287)
    if ((datagram[0] & kLong) == 0) {
        head.kind = DatagramHead::Kind::short_header;
    } else if (head.version == 0) {
        head.kind = DatagramHead::Kind::bad;  // Version Negotiation is for clients
    } else if (std::ranges::find(kVersions, head.version) == kVersions.end()) {
        head.kind = DatagramHead::Kind::other_version;
    } else {
        head.kind = DatagramHead::Kind::long_header;
    }
    return head;
}

std::optional<FirstPacket> read_first(std::span<const std::uint8_t> datagram) {
    ngtcp2_pkt_hd head{};
    // NGTCP2_ERR_RETRY: a first packet that ngtcp2 wants to be answered so. The caller decides.
    if (const int error = ngtcp2_accept(&head, datagram.data(), datagram.size());
        error != 0 && error != NGTCP2_ERR_RETRY)
        return std::nullopt;
    if (head.type != NGTCP2_PKT_INITIAL) return std::nullopt;
    return FirstPacket{
        head.version, id_of(head.dcid), id_of(head.scid), {head.token.base, head.token.len}};
}

TokenProof judge_token(const FirstPacket& packet, const QuicPath& path, const QuicSecrets& secrets,
                       Nanoseconds wall_now) {
    const auto& token = packet.token;
    if (token.empty()) return {};
    if (token[0] == static_cast<std::uint8_t>(TokenKind::retry))
        return judge_retry(token, packet.destination, path, secrets, wall_now);
    if (token[0] == static_cast<std::uint8_t>(TokenKind::later) &&
        is_later(token, path, secrets, wall_now))
        return {TokenProof::Kind::address, {}};
    return {};
}

std::vector<std::uint8_t> retry(const FirstPacket& packet, const QuicPath& path,
                                const ConnectionId& own, const QuicSecrets& secrets,
                                Nanoseconds wall_now) {
    const ngtcp2_cid client = cid_of(packet.source), original = cid_of(packet.destination),
                     ours = cid_of(own);
    Token token(TokenKind::retry);
    token.put(wall_now);
    token.put_bytes(packet.destination.view());
    token.put(proof_of(token.bytes(), path, &own, secrets));
    auto out = room();
    const auto bytes =
        ngtcp2_crypto_write_retry(out.data(), out.size(), packet.version, &client, &ours, &original,
                                  token.bytes().data(), token.bytes().size());
    return cut(std::move(out), bytes);
}

std::vector<std::uint8_t> refusal(const FirstPacket& packet, std::uint64_t code) {
    const ngtcp2_cid client = cid_of(packet.source), ours = cid_of(packet.destination);
    auto out = room();
    const auto bytes = ngtcp2_crypto_write_connection_close(out.data(), out.size(), packet.version,
                                                            &client, &ours, code, nullptr, 0);
    return cut(std::move(out), bytes);
}

std::vector<std::uint8_t> version_negotiation(const DatagramHead& head, std::uint8_t random) {
    auto out = room();
    const auto bytes = ngtcp2_pkt_write_version_negotiation(
        out.data(), out.size(), random, head.source.bytes.data(), head.source.length,
        head.destination.bytes.data(), head.destination.length, kVersions.data(), kVersions.size());
    return cut(std::move(out), bytes);
}

std::vector<std::uint8_t> stateless_reset(std::span<const std::uint8_t> datagram,
                                          const DatagramHead& head, const QuicSecrets& secrets,
                                          std::span<const std::uint8_t> random) {
    if (datagram.size() <= kSmallestReset) return {};
    const std::size_t most = std::min(datagram.size() - 1, kLargestReset);
    const auto token = reset_token(head.destination, secrets);
    const std::size_t filler = std::min(random.size(), most - token.size());
    auto out = room();
    const auto bytes =
        ngtcp2_pkt_write_stateless_reset(out.data(), most, token.data(), random.data(), filler);
    return cut(std::move(out), bytes);
}

std::array<std::uint8_t, 16> reset_token(const ConnectionId& id, const QuicSecrets& secrets) {
    std::array<std::uint8_t, 16> token{};
    const ngtcp2_cid cid = cid_of(id);
    (void)ngtcp2_crypto_generate_stateless_reset_token(token.data(), secrets.resets.data(),
                                                       secrets.resets.size(), &cid);
    return token;
}

std::vector<std::uint8_t> later_token(const QuicPath& path, const QuicSecrets& secrets,
                                      Nanoseconds wall_now) {
    Token token(TokenKind::later);
    token.put(wall_now - wall_now % kHour);
    std::array<std::uint8_t, kSalt> salt{};
    fill_random(salt);
    token.put(salt);
    token.put(proof_of(token.bytes(), path, nullptr, secrets));
    return {token.bytes().begin(), token.bytes().end()};
}

}  // namespace steer::quic
