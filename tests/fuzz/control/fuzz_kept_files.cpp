// Any bytes in files that are kept between two lives: what was found of RouterOS versions, the facts beside a fetched
// list, a compiled image, a dump of a cache. Each is taken as what it says, or refused with a sentence.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "../require.h"
#include "control/cache/dump_file.h"
#include "control/program/build/image_folder.h"
#include "control/sinks/routers/router_findings.h"
#include "control/streams/fetch/list_facts.h"
#include "support/temp_folder.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

void check_findings(const std::string& file) {
    const auto known = load_findings(file);
    if (!known) {
        REQUIRE(known.error().text.starts_with(file));
        return;
    }
    REQUIRE(findings_text(*known).size() > 0);
}

void check_facts(const test::TempFolder& folder, const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view kList = "x\n";
    const std::string list = folder.write("list.txt", kList);
    folder.write("list.txt.json", {reinterpret_cast<const char*>(data), size});
    const auto facts = fetch::load_facts(list, "http://lists.example/list.txt");
    if (facts) REQUIRE(facts->bytes == kList.size() && !facts->url.empty());
}

// (A sum finds torn files, not forged ones: a process that can write these files could write the configuration as well.)
void check_image(const test::TempFolder& folder) {
    build::ImageFolder images(folder.path.string());
    const auto image = images.load("kept");
    const auto sentences = images.take_sentences();
    REQUIRE(image.has_value() == sentences.empty());
}

void check_dump(const std::string& file) {
    const auto reader = DumpReader::open(file, "answers", 1'000'000'000'000);
    if (!reader) {
        REQUIRE(!reader.error().text.empty());
        return;
    }
    std::uint64_t seen = 0;
    REQUIRE((*reader)->each([&seen](const DumpedAnswer&) { ++seen; }).has_value());
    REQUIRE(seen == (*reader)->answers());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const test::TempFolder folder;
    const std::string file = folder.write("kept", {reinterpret_cast<const char*>(data), size});
    check_findings(file);
    check_image(folder);
    check_dump(file);
    check_facts(folder, data, size);
    return 0;
}
