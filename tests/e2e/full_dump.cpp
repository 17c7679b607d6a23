// Writes a dump of the cache `pool`: full_dump FILE N, with an address for n0.example to n(N-1).example. So a daemon has a full
// cache at its start.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "control/cache/dump_file.h"
#include "dataplane/dns/answer.h"
#include "support/dns_message.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr std::uint32_t kTtlS = 86'400;
constexpr std::size_t kRoom = 512;

int fail(const std::string& why) {
    std::fprintf(stderr, "full_dump: %s\n", why.c_str());
    return 1;
}

// The answer's body does not depend on the name: its record's owner is a pointer.
bool add(DumpWriter& dump, unsigned number) {
    const Bytes name = wire_name("n" + std::to_string(number) + ".example");
    auto response = DnsMessage::response(1, "n" + std::to_string(number) + ".example", dns::kA);
    response.record(DnsMessage::kAnswer, {0xc0, 0x0c}, dns::kA, kTtlS,
                    {203, 0, 113, static_cast<std::uint8_t>(number)});
    alignas(8) std::uint8_t room[kRoom];
    dns::UpstreamFacts facts;
    if (dns::build_answer(response.bytes(), name, dns::kA, dns::kIn, false, room, facts) !=
        dns::AnswerError::none)
        return false;
    const auto& answer = *reinterpret_cast<const dns::Answer*>(room);
    DumpRecord record;
    record.left_s = record.usable_s = static_cast<std::int32_t>(kTtlS);
    record.answer_bytes = static_cast<std::uint32_t>(answer.size());
    record.qtype = dns::kA;
    record.qclass = dns::kIn;
    record.name_len = static_cast<std::uint8_t>(name.size());
    dump.add({record, {}, name, std::span(room).first(answer.size())});
    dump.write_out();
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return fail("expected FILE N");
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    auto dump = DumpWriter::create(argv[1], {"pool", static_cast<std::uint64_t>(wall_ms), {}});
    if (!dump) return fail(dump.error().sentence());
    const auto count = static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10));
    for (unsigned i = 0; i < count; ++i)
        if (!add(**dump, i)) return fail("the answer is not accepted");
    const auto written = (*dump)->finish();
    return written ? 0 : fail(written.error().sentence());
}
