// A client that sends anything: the router must neither crash nor send what is no sentence,
// whatever comes, in pieces of any size. First byte: bit 0 logs in first, bit 1 gives the CPU a
// cost, bit 2 puts the tag last, bit 3 is an old version; the high bits are the size of the pieces.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tools/rossim/address.h"
#include "tools/rossim/router.h"
#include "tools/rossim/sentence.h"
#include "tools/rossim/value_text.h"

namespace {

using namespace rossim;

void check(bool invariant) {
    if (!invariant) std::abort();
}

void check_output(Router& router) {
    for (const Output& output : router.take_output()) {
        WordReader reader(1U << 20);
        reader.feed(output.bytes);
        while (const auto words = reader.next())
            check(words->at(0).front() == '!');
        check(reader.fault() == WordReader::Fault::none);
    }
}

// Two forms to write one value must end in one form.
void check_values(std::string_view text) {
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const auto once = normalise_address(family, text);
        if (!once) continue;
        const auto twice = normalise_address(family, once->text);
        check(twice && twice->text == once->text && twice->is_name == once->is_name);
    }
    if (const auto seconds = parse_duration(text)) {
        check(parse_duration(duration_text(*seconds)) == seconds);
    }
    if (const auto id = parse_id(text)) check(parse_id(id_text(*id)) == id);
}

void play(std::uint8_t mode, std::string_view bytes) {
    Options options;
    if ((mode & 2) != 0) options.costs = built_in_presets().get("fast");
    options.tag_last = (mode & 4) != 0;
    if ((mode & 8) != 0) options.version = {6, 42};
    std::size_t journal_bytes = 0;
    Router router(options,
                  [&](const Commit& commit) { journal_bytes += to_json_line(commit).size(); });
    router.add_row(Family::ipv4, "x", "10.0.0.1", std::nullopt, "", 0);
    const SessionId session = router.open(0).value();
    std::int64_t now_us = 0;
    if ((mode & 1) != 0 && (mode & 8) == 0) {
        std::string login;
        for (const char* word : {"/login", "=name=admin", "=password=", ""}) {
            append_word(login, word);
        }
        router.feed(session, login, now_us);
        router.advance(now_us += 1000);
    }
    const std::size_t piece = 1U + (mode >> 4) * 7U;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        router.feed(session, bytes.substr(at, piece), now_us += 100);
        check_output(router);
    }
    router.advance(now_us + 60'000'000);
    check_output(router);
    router.reboot(1000, now_us + 60'000'000);
    router.advance(now_us + 61'000'000);
    check(router.open(now_us + 61'000'000).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4096) return 0;
    // char may alias bytes.
    const std::string_view bytes(static_cast<const char*>(static_cast<const void*>(data)), size);
    play(data[0], bytes.substr(1));
    check_values(bytes.substr(1));
    return 0;
}
