// Files that are kept between two lives of the daemon. Whatever is in their place, a reader returns
// a value or a sentence. It does not throw and does not wait. Then the writer replaces what it may
// replace.
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>

#include "control/cache/dump_file.h"
#include "control/host/process/regular_file.h"
#include "control/program/build/image_folder.h"
#include "control/served_version.h"
#include "control/sinks/routers/router_findings.h"
#include "control/sources/edit/history.h"
#include "control/sources/leases/lease_state.h"
#include "control/sources/records/record_file.h"
#include "control/sources/router_lists/list_state.h"
#include "control/sources/rules/rule_origins.h"
#include "control/streams/fetch/list_facts.h"
#include "support/random.h"
#include "support/temp_folder.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

struct Read {
    bool is_good = false;  // the value that was written
    std::string sentence;  // of an error; empty: the reader needs none
};

// One kind of file: `write` makes a good one in an empty folder, or again, and returns its path.
struct KeptKind {
    std::string_view name;
    std::function<std::string(const test::TempFolder&)> write;
    std::function<Read(const std::string& path)> read;
    bool has_checksum = false;    // every change is found
    bool is_silent = false;       // a damaged one is as a missing one
    bool is_of_operator = false;  // the writer leaves a damaged one as it is
};

constexpr router_lists::Moment kNow{.boot_ms = 1'000'000, .wall_s = 1'760'000'000};
constexpr std::uint64_t kWallMs = 1'760'000'000'000;
constexpr std::string_view kUrl = "http://lists.example/list.txt";

std::string image_name() {
    return "names-0123456789abcdef";
}

std::string write_findings(const test::TempFolder& folder) {
    routeros::Findings findings;
    findings[routeros::Question{}] = {routeros::Answer{}, "no such item"};
    const std::string file = folder / "routeros.json";
    BOOST_TEST(save_findings(file, findings_text({{"7.21 (stable)", findings}})).has_value());
    return file;
}
Read read_findings(const std::string& file) {
    const auto all = load_findings(file);
    return all ? Read{all->contains("7.21 (stable)"), {}} : Read{false, all.error().sentence()};
}

std::string write_leases(const test::TempFolder& folder) {
    routeros::DhcpLease lease;
    lease.address = "192.168.88.20";
    lease.mac = "00:1D:AA:00:00:01";
    lease.host_name = "laptop";
    const std::string file = folder / "leases.json";
    BOOST_TEST(leases::save_leases(file, leases::state_text({{"edge1", {lease}}})).has_value());
    return file;
}
Read read_leases(const std::string& file) {
    const auto all = leases::load_leases(file);
    if (!all) return {false, all.error().sentence()};
    const auto found = all->find("edge1");
    return {
        found != all->end() && found->second.size() == 1 && found->second[0].host_name == "laptop",
        {}};
}

std::string write_router_lists(const test::TempFolder& folder) {
    router_lists::KnownLists known;
    known.was_read = true;
    known.current_ms = kNow.boot_ms;
    known.lists.lists["kids"].push_back(
        {routeros::Address::parse("192.168.88.10").value(), kNow.boot_ms + 60'000});
    known.lists.servers.emplace_back("192.0.2.1");
    const std::string file = folder / "router-lists.json";
    const std::string text = router_lists::state_text({{"edge1", known}}, kNow);
    BOOST_TEST(router_lists::save_lists(file, text).has_value());
    return file;
}
Read read_router_lists(const std::string& file) {
    const auto all = router_lists::load_lists(file, kNow);
    if (!all) return {false, all.error().sentence()};
    const auto found = all->find("edge1");
    return {found != all->end() && found->second.lists.lists.contains("kids") &&
                found->second.lists.lists.at("kids").size() == 1,
            {}};
}

std::string write_facts(const test::TempFolder& folder) {
    const std::string list = folder.write("list.txt", "x.example\n");
    fetch::ListFacts facts;
    facts.url = kUrl;
    facts.etag = "\"v1\"";
    facts.bytes = fs::file_size(list);
    BOOST_TEST(fetch::save_facts(list, facts).has_value());
    return list + ".json";
}
Read read_facts(const std::string& file) {
    const std::string list = file.substr(0, file.size() - std::string_view(".json").size());
    return {fetch::load_facts(list, std::string(kUrl)).has_value(), {}};
}

std::string write_version(const test::TempFolder& folder) {
    const std::string file = folder / "version";
    keep_served_version("1.2.3", file);
    return file;
}
Read read_version(const std::string& file) {
    return {served_version(file) == "1.2.3", {}};
}

std::string write_origins(const test::TempFolder& folder) {
    const std::string file = folder / "origins.json";
    const rules::RuleOrigins origins{{"full:www.example", {true, 1'760'000'000'000}}};
    BOOST_TEST(rules::write_rule_origins(file, origins).has_value());
    return file;
}
Read read_origins(const std::string& file) {
    const auto origins = rules::read_rule_origins(file);
    return origins ? Read{origins->contains("full:www.example"), {}}
                   : Read{false, origins.error().sentence()};
}

const records::Change kOneMore{
    .tag = "local", .add = config::RecordFields{{"name", "nas.lan"}, {"address", "192.0.2.7"}}};

std::string write_records(const test::TempFolder& folder) {
    const std::string file = folder / "static.yaml";
    (void)records::change_file(file, kOneMore);
    return file;
}
Read read_records(const std::string& file) {
    const auto changed = records::change_file(file, kOneMore);
    if (!changed) return {false, changed.error().sentence()};
    return {changed->before && changed->before->find("nas.lan") != std::string::npos, {}};
}

std::string write_history(const test::TempFolder& folder) {
    const edit::History history(folder / "configurations");
    BOOST_TEST(history.keep("plugins: []\n").has_value());
    return folder / "configurations/1.yaml";
}
Read read_history(const std::string& file) {
    const edit::History history(fs::path(file).parent_path().string());
    (void)history.versions();
    const auto text = history.text(1);
    return text ? Read{*text == "plugins: []\n", {}} : Read{false, text.error().sentence()};
}

std::string write_dump(const test::TempFolder& folder) {
    const std::string file = folder / "answers.dump";
    auto writer = DumpWriter::create(file, {"answers", kWallMs, {{"egress", "edge1"}}});
    if (writer) BOOST_TEST((*writer)->finish().has_value());
    return file;
}
Read read_dump(const std::string& file) {
    const auto reader = DumpReader::open(file, "answers", kWallMs);
    return reader ? Read{(*reader)->contents().instance == "answers", {}}
                  : Read{false, reader.error().sentence()};
}

std::string write_image(const test::TempFolder& folder) {
    build::ImageFolder images(folder.path.string());
    const std::vector<std::uint8_t> bytes(300, 7);
    images.keep(image_name(), bytes);
    return folder / image_name();
}
Read read_image(const std::string& file) {
    build::ImageFolder images(fs::path(file).parent_path().string());
    const auto image = images.load(image_name());
    const auto sentences = images.take_sentences();
    BOOST_TEST(images.names("names-").size() <= 1U);
    if (image) return {image->bytes().size() == 300 && image->bytes()[299] == 7, {}};
    return {false, sentences.empty() ? std::string{} : sentences.front()};
}

const KeptKind kKinds[] = {
    {"findings", write_findings, read_findings},
    {"leases", write_leases, read_leases},
    {"lists of routers", write_router_lists, read_router_lists},
    {"facts of a fetched list", write_facts, read_facts, false, true},
    {"version", write_version, read_version, false, true},
    {"origins of rules", write_origins, read_origins},
    {"runtime records", write_records, read_records, false, false, true},
    {"earlier configuration", write_history, read_history},
    {"cache dump", write_dump, read_dump, true},
    {"compiled list", write_image, read_image, true},
};

// Ends the test if the reader waits, as for the writer of a FIFO.
Read read_in_time(const KeptKind& kind, const std::string& file) {
    auto task = std::async(std::launch::async, [&] { return kind.read(file); });
    if (task.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
        std::fprintf(stderr, "the reader of '%s' waits\n", std::string(kind.name).c_str());
        std::abort();
    }
    return task.get();
}

void put(const std::string& file, std::string_view bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

// A reader that returns neither the value nor a sentence is silent.
void check_damaged(const KeptKind& kind, const std::string& file, const std::string& damage) {
    const Read read = read_in_time(kind, file);
    BOOST_TEST_CONTEXT(kind.name << ", " << damage) {
        BOOST_TEST((read.sentence.empty() ||
                    read.sentence.find(fs::path(file).filename().string()) != std::string::npos),
                   read.sentence);
        if (kind.has_checksum) {
            BOOST_TEST(!read.is_good);
            BOOST_TEST(!read.sentence.empty());
        }
    }
}

BOOST_AUTO_TEST_SUITE(state_files)

BOOST_AUTO_TEST_CASE(a_good_file_is_read_and_a_missing_one_is_nothing) {
    for (const KeptKind& kind : kKinds) {
        BOOST_TEST_CONTEXT(kind.name) {
            const test::TempFolder folder;
            const std::string file = kind.write(folder);
            BOOST_TEST(read_in_time(kind, file).is_good);
            fs::remove(file);
            BOOST_TEST(!read_in_time(kind, file).is_good);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_ends_anywhere_or_has_a_wrong_bit_is_refused_or_read) {
    constexpr std::size_t kMostCuts = 200, kMostFlips = 400;
    for (const KeptKind& kind : kKinds) {
        const test::TempFolder folder;
        const std::string file = kind.write(folder);
        std::ifstream in(file, std::ios::binary);
        const std::string good{std::istreambuf_iterator<char>(in), {}};
        BOOST_TEST_REQUIRE(!good.empty());
        for (std::size_t i = 0; i < std::min(kMostCuts, good.size()); ++i) {
            const std::size_t size = i * good.size() / std::min(kMostCuts, good.size());
            put(file, std::string_view(good).substr(0, size));
            check_damaged(kind, file, "the first " + std::to_string(size) + " bytes");
        }
        const std::size_t bits = good.size() * 8;
        for (std::size_t i = 0; i < std::min(kMostFlips, bits); ++i) {
            const std::size_t bit = i * bits / std::min(kMostFlips, bits);
            std::string bad = good;
            bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
            put(file, bad);
            check_damaged(kind, file, "bit " + std::to_string(bit));
        }
        test::Random random(1);
        for (unsigned i = 0; i < 50; ++i) {
            std::string bytes(random.below(300), '\0');
            for (char& c : bytes)
                c = static_cast<char>(random());
            put(file, bytes);
            check_damaged(kind, file, "random bytes " + std::to_string(i));
        }
        put(file, std::string(good.size(), '\0'));
        check_damaged(kind, file, "zeros");
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_refused_at_once) {
    struct Stranger {
        std::string_view name;
        std::function<void(const std::string&)> put;
        bool is_folder = false;
    };
    const Stranger kStrangers[] = {
        {"a folder", [](const auto& file) { fs::create_directory(file); }, true},
        {"a folder with a file",
         [](const auto& file) {
             fs::create_directory(file);
             put(file + "/x", "x");
         },
         true},
        {"a FIFO", [](const auto& file) { BOOST_TEST(::mkfifo(file.c_str(), 0644) == 0); }},
        {"a link to nothing",
         [](const auto& file) { fs::create_symlink("/nonexistent/file", file); }},
        {"a link to itself", [](const auto& file) { fs::create_symlink(file, file); }},
        {"a device", [](const auto& file) { fs::create_symlink("/dev/zero", file); }},
    };
    for (const KeptKind& kind : kKinds) {
        for (const Stranger& stranger : kStrangers) {
            const test::TempFolder folder;
            const std::string file = kind.write(folder);
            fs::remove(file);
            stranger.put(file);
            const Read read = read_in_time(kind, file);
            BOOST_TEST_CONTEXT(kind.name << ", " << stranger.name << ": " << read.sentence) {
                BOOST_TEST(!read.is_good);
                // A link to nothing is a missing file.
                if (!kind.is_silent && stranger.name != "a link to nothing")
                    BOOST_TEST(!read.sentence.empty());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_written_again) {
    for (const KeptKind& kind : kKinds) {
        if (kind.is_of_operator) continue;
        for (const std::string_view bytes : {"", "garbage", "{\"a\":", "[]", "\xff\xfe"}) {
            const test::TempFolder folder;
            put(kind.write(folder), bytes);
            // What is not empty and no dump is not replaced by one.
            if (kind.name == "cache dump" && !bytes.empty()) continue;
            // Each text of a configuration is kept.
            if (kind.name == "earlier configuration") continue;
            BOOST_TEST_CONTEXT(kind.name << " in place of \"" << bytes << "\"") {
                BOOST_TEST(read_in_time(kind, kind.write(folder)).is_good);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(records_with_an_error_are_left_to_the_operator) {
    const test::TempFolder folder;
    const std::string file = folder.write("static.yaml", "local: [ {name: nas.lan");
    const auto changed = records::change_file(file, kOneMore);
    BOOST_TEST_REQUIRE(changed.has_error());
    BOOST_TEST(folder.read("static.yaml") == "local: [ {name: nas.lan");
}

BOOST_AUTO_TEST_CASE(times_of_another_clock_are_taken_or_bounded) {
    using router_lists::load_lists;
    const test::TempFolder folder;
    const auto until_of = [&](const std::string& number) {
        const std::string file = folder.write(
            "router-lists.json", R"({"edge1": {"at": )" + number + R"(, "servers": [], "lists": )" +
                                     R"({"kids": [["192.168.88.10/32", )" + number + "]]}}}");
        const auto all = load_lists(file, kNow);
        BOOST_TEST_REQUIRE(all.has_value());
        return all->at("edge1").lists.lists.at("kids").at(0).until_ms;
    };
    BOOST_TEST(until_of(std::to_string(kNow.wall_s + 60)) == kNow.boot_ms + 60'000);
    BOOST_TEST(until_of("1") == 1U);  // ended before the boot
    BOOST_TEST(until_of("-9223372036854775808") == 1U);
    BOOST_TEST(until_of("9223372036854775807") > kNow.boot_ms);
}

BOOST_AUTO_TEST_CASE(a_file_above_its_bound_is_not_read) {
    const test::TempFolder folder;
    const std::string file = folder / "large";
    put(file, "x");
    fs::resize_file(file, std::uintmax_t{1} << 30);  // without bytes on the disk
    for (const auto& sentence :
         {load_findings(file).error().sentence(), leases::load_leases(file).error().sentence(),
          router_lists::load_lists(file, kNow).error().sentence()})
        BOOST_TEST(sentence.find("it has more than") != std::string::npos, sentence);
    BOOST_TEST(served_version(file).empty());
    const auto text = read_regular(file, 100);
    BOOST_TEST_REQUIRE(text.has_error());
    BOOST_TEST(text.error().text == "it has more than 100 bytes");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
