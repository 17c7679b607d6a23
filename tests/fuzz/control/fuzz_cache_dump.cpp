// A dump of a cache whose sums are right, whatever is in it. First byte: whether the rest is a block of records, or one
// answer as it lies in memory. What is taken as an answer can be sent, renamed and translated as any other.
#include <rte_config.h>
#include <rte_hash_crc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../require.h"
#include "control/cache/dump_file.h"
#include "dataplane/dns/alias.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/hints.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/pref64.h"
#include "dataplane/dns/translate.h"

using namespace steer;
using Bytes = std::vector<std::uint8_t>;

namespace {

template <class T>
void put(Bytes& to, const T& value) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&value);
    to.insert(to.end(), bytes, bytes + sizeof value);
}

void put_block(Bytes& to, const Bytes& payload) {
    put(to, static_cast<std::uint32_t>(payload.size()));
    put(to, rte_hash_crc(payload.data(), static_cast<std::uint32_t>(payload.size()), 0x5354U));
    to.insert(to.end(), payload.begin(), payload.end());
}

// Of cache "a" with a list, and one block of records behind that; its end says that there are none, so that no reading ends
// well.
Bytes dump_of(const Bytes& records) {
    Bytes out{'S', 't', 'e', 'e', 'r', 'C', 'c', 'h', 3, 0, 0, 0, 0, 0, 0, 0};
    Bytes head;
    put(head, std::uint64_t{1'000'000});
    put(head, std::uint32_t{1});
    put(head, std::uint32_t{1});
    for (const char text : {'a', 't', 'r'}) {
        put(head, std::uint16_t{1});
        head.push_back(static_cast<std::uint8_t>(text));
    }
    put_block(out, head);
    put_block(out, records);
    Bytes end;
    put(end, std::uint64_t{0});
    put(end, std::uint32_t{0});
    put(end, std::uint32_t{3});
    put_block(out, end);
    return out;
}

class Everything final : public dns::Translation {
  public:
    bool to_v6(const std::uint8_t* v4, std::uint8_t* v6) const noexcept override {
        dns::kWellKnownPref64.embed(v4, v6);
        return true;
    }
    bool counts(const std::uint8_t*) const noexcept override { return false; }
};

// What the dataplane does with answers, of a name that it may not even be about.
void use(const dns::Answer& answer, std::span<const std::uint8_t> name) {
    static constexpr std::array<std::uint8_t, 7> kAlias{1, 'a', 3, 'o', 'l', 'd', 0};
    static Bytes room(std::size_t{2} * dns::kMaxMessage);
    unsigned sum = 0;
    dns::any_address(answer, [&sum](const std::uint8_t* bytes, bool is_v6) {
        sum += bytes[is_v6 ? 15 : 3];
        return false;
    });
    Bytes query(dns::kMaxName + 100);
    query.resize(dns::write_query(query, 1, name, dns::kA, dns::kIn, true, false, true, true));
    dns::Query parsed;
    REQUIRE(dns::parse_query(query, parsed) == dns::QueryError::none);
    query.resize(dns::kMaxMessage);
    bool truncated = false;
    REQUIRE(dns::write_reply(query, parsed, answer, {.age_s = 1, .max_size = 65535}, truncated) >
            0);
    (void)dns::write_alias_answer(
        answer, {.asked = name, .alias = kAlias, .qtype = dns::kA, .age_s = 1}, room);
    const Everything all;
    for (const auto what : {dns::Translate::addresses, dns::Translate::counted_only,
                            dns::Translate::hints, dns::Translate::all_hints}) {
        if (dns::would_change(answer, what, all))
            (void)dns::write_translated(answer, {.what = what, .asked = name}, all, room);
    }
}

void check_dump(std::span<const std::uint8_t> records) {
    const Bytes dump = dump_of(Bytes(records.begin(), records.end()));
    const int fd = ::memfd_create("dump", MFD_CLOEXEC);
    REQUIRE(::write(fd, dump.data(), dump.size()) == static_cast<ssize_t>(dump.size()));
    const auto reader = DumpReader::open("/proc/self/fd/" + std::to_string(fd), "a", 1'000'000);
    REQUIRE(!reader);
    ::close(fd);
}

// As long as it is, with the sum that its body has; a copy of exactly that size, so that a byte read behind it is seen.
void check_answer(std::span<const std::uint8_t> bytes) {
    Bytes block(bytes.begin(), bytes.end());
    if (block.size() < sizeof(dns::Answer)) return;
    auto& answer = *reinterpret_cast<dns::Answer*>(block.data());
    answer.body_len = 0;
    if (answer.size() > block.size() || block.size() - answer.size() > UINT16_MAX) return;
    answer.body_len = static_cast<std::uint16_t>(block.size() - answer.size());
    answer.body_sum = checksum_fold(checksum_add(0, answer.body(), answer.body_len));
    if (!is_sound_answer(block)) return;
    static constexpr std::array<std::uint8_t, 9> kName{7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0};
    use(answer, kName);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::span<const std::uint8_t> rest(data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        check_dump(rest);
    } else {
        check_answer(rest);
    }
    return 0;
}
