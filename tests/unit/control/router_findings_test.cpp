// What is known of RouterOS versions: kept, read again, and a file that is no such thing is reported.
#include "control/sinks/routers/router_findings.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "support/temp_folder.h"

namespace steer {
namespace {

namespace fs = std::filesystem;
using routeros::Answer;
using routeros::Findings;
using routeros::Question;

struct Folder : test::TempFolder {
    const std::string file = *this / "routeros.json";
};

Findings some() {
    Findings findings;
    findings[Question::static_timeout] = {Answer::makes_timed, ""};
    findings[Question::execute] = {Answer::refused, "unknown parameter \"as-string\""};
    return findings;
}

BOOST_AUTO_TEST_SUITE(router_findings)

BOOST_AUTO_TEST_CASE(new_findings_are_kept_and_read_again) {
    const Folder folder;
    unsigned changes = 0;
    RouterFindings known({}, [&](const std::string& text) {
        ++changes;
        BOOST_TEST(!!save_findings(folder.file, text));
    });
    BOOST_TEST((known.find("7.21 (stable)") == nullptr));
    known.put("7.21 (stable)", some());
    known.put("7.21 (stable)", some());
    known.put("6.49.10 (long-term)", Findings{});
    BOOST_TEST(changes == 2U);
    const auto loaded = load_findings(folder.file);
    BOOST_REQUIRE(!!loaded);
    BOOST_TEST(loaded->size() == 2U);
    BOOST_TEST((loaded->at("7.21 (stable)") == some()));
    BOOST_TEST((loaded->at("6.49.10 (long-term)") == Findings{}));
    BOOST_TEST(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

BOOST_AUTO_TEST_CASE(a_damaged_or_newer_file_is_ignored) {
    const Folder folder;
    BOOST_TEST(load_findings(folder.file)->empty());  // none
    for (const char* text : {"", "{", "[1]", "\"x\""}) {
        folder.write("routeros.json", text);
        const auto loaded = load_findings(folder.file);
        BOOST_REQUIRE(!loaded);
        BOOST_TEST(loaded.error().sentence().find("is ignored") != std::string::npos);
    }
    folder.write("routeros.json",
                 R"({"7.99": {"static-timeout": {"answer": "makes it timed"}, "new": {"answer": 1},
                     "execute-as-string": {"answer": "a word of another time", "text": "x"}},
                     "7.98": 5})");
    const auto loaded = load_findings(folder.file);
    BOOST_REQUIRE(!!loaded);
    BOOST_TEST(loaded->size() == 1U);
    const Findings& findings = loaded->at("7.99");
    BOOST_TEST((findings[Question::static_timeout].answer == Answer::makes_timed));
    BOOST_TEST((findings[Question::execute].answer == Answer::unknown));
}

BOOST_AUTO_TEST_CASE(a_missing_or_unwritable_folder_is_reported) {
    const Folder folder;
    BOOST_TEST(!!save_findings((folder.path / "none" / "x.json").string(), "{}"));
    BOOST_TEST(!fs::exists(folder.path / "none"));
    fs::create_directory(folder.file);  // where the file would be
    const auto saved = save_findings(folder.file, "{}");
    BOOST_REQUIRE(!saved);
    BOOST_TEST(saved.error().sentence().find("'findings' of 'control'") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
