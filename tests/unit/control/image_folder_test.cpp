// Compiled lists as files: they come back, damaged ones do not, and an unwritable folder is a sentence.
#include "control/program/build/image_folder.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "matchers/name_matcher.h"
#include "matchers/pattern/compile.h"
#include "support/temp_folder.h"

namespace steer::build {
namespace {

namespace fs = std::filesystem;

struct Folder : test::TempFolder {
    [[nodiscard]] std::vector<fs::path> files() const {
        std::vector<fs::path> out;
        for (const auto& entry : fs::directory_iterator(path))
            out.push_back(entry.path());
        return out;
    }
};

// Enough rules to be kept.
std::unique_ptr<matchers::NameMatcher> matcher(ImageFolder& images, int first = 0) {
    matchers::NameMatcherBuilder builder;
    for (int i = first; i < first + 25'000; ++i)
        builder.add(static_cast<matchers::SetId>(i % 3),
                    {matchers::RuleKind::domain, "n" + std::to_string(i) + ".example"});
    for (int i = 0; i < 30; ++i)
        builder.add(3, {matchers::RuleKind::regexp, "word" + std::to_string(i) + "[0-9]|^x"});
    std::vector<Error> errors, warnings;
    auto out = builder.build(errors, warnings, &images);
    BOOST_TEST_REQUIRE(errors.empty());
    return out;
}

void check_answers(const matchers::NameMatcher& image) {
    matchers::NameMatcher::Scratch scratch;
    BOOST_TEST_REQUIRE(image.prepare(scratch).has_value());
    const auto tags = [&](std::initializer_list<std::string_view> labels) {
        std::vector<std::uint8_t> wire;
        for (const auto label : labels) {
            wire.push_back(static_cast<std::uint8_t>(label.size()));
            wire.insert(wire.end(), label.begin(), label.end());
        }
        wire.push_back(0);
        return image.match(wire, scratch).words[0];
    };
    BOOST_TEST(tags({"www", "n7", "example"}) == 0b10U);
    BOOST_TEST(tags({"n8", "example"}) == 0b100U);
    BOOST_TEST(tags({"xn9", "example"}) == 0b1000U);
    BOOST_TEST(tags({"aword12", "other"}) == 0b1000U);
    BOOST_TEST(tags({"other", "example"}) == 0U);
}

BOOST_AUTO_TEST_SUITE(image_folder)

BOOST_AUTO_TEST_CASE(a_kept_image_is_not_built_again) {
    const Folder folder;
    ImageFolder images((folder.path / "inner").string());
    check_answers(*matcher(images));
    const auto written = [&] {
        std::vector<std::pair<fs::path, fs::file_time_type>> out;
        for (const auto& entry : fs::directory_iterator(images.folder()))
            out.emplace_back(entry.path().filename(), entry.last_write_time());
        std::ranges::sort(out);
        return out;
    };
    const auto first = written();
    BOOST_TEST(first.size() == 2U);
    check_answers(*matcher(images));
    BOOST_TEST(written().size() == 2U);
    BOOST_TEST(images.take_sentences().empty());
    // Other rules are another image; those of the patterns are the same.
    matcher(images, 1);
    BOOST_TEST(written().size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_refused_and_written_again) {
    const Folder folder;
    ImageFolder images(folder.path.string());
    matcher(images);
    const auto files = folder.files();
    BOOST_TEST_REQUIRE(files.size() == 2U);
    for (const auto& path : files) {
        const auto size = fs::file_size(path);
        const auto damage = [&](auto how) {
            how();
            check_answers(*matcher(images));
            const auto logged = images.take_sentences();
            BOOST_TEST_REQUIRE(logged.size() == 1U);
            BOOST_TEST(logged[0] ==
                       path.string() + " is damaged or has another version: it is built again");
            BOOST_TEST(fs::file_size(path) == size);
        };
        damage([&] { fs::resize_file(path, size / 2); });
        damage([&] { fs::resize_file(path, 10); });
        damage([&] { fs::resize_file(path, size + 1); });
        for (const std::uintmax_t at :
             {std::uintmax_t{0}, std::uintmax_t{20}, size / 2, size - 1}) {
            damage([&] {
                std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
                file.seekg(static_cast<std::streamoff>(at));
                const char c = static_cast<char>(file.get() ^ 0x40);
                file.seekp(static_cast<std::streamoff>(at));
                file.put(c);
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(old_images_are_removed_and_a_bad_folder_is_an_error) {
    const Folder folder;
    ImageFolder images(folder.path.string());
    for (int i = 0; i < 8; ++i)
        matcher(images, i * 100);
    BOOST_TEST(folder.files().size() == 5U);  // four of suffixes, one of patterns
    std::ofstream(folder.path / "file") << "x";
    ImageFolder none((folder.path / "file" / "inner").string());
    check_answers(*matcher(none));
    const auto logged = none.take_sentences();
    BOOST_TEST_REQUIRE(!logged.empty());
    BOOST_TEST((logged.back().find("cannot be kept in") != std::string::npos));
}

// A list of regexps from `first` to `end`, in sets 1 and 2 by turns, and a keyword.
std::unique_ptr<matchers::NameMatcher> patterns(ImageFolder& images, int first, int end) {
    matchers::NameMatcherBuilder builder;
    for (int i = first; i < end; ++i)
        builder.add(static_cast<matchers::SetId>(1 + i % 2),
                    {matchers::RuleKind::regexp, "^r" + std::to_string(i) + "x[0-9]"});
    builder.add(3, {matchers::RuleKind::keyword, "key"});
    std::vector<Error> errors, warnings;
    auto out = builder.build(errors, warnings, &images);
    BOOST_TEST_REQUIRE(errors.empty());
    return out;
}

std::uint64_t sets_of(const matchers::NameMatcher& image, const std::string& label) {
    matchers::NameMatcher::Scratch scratch;
    BOOST_TEST_REQUIRE(image.prepare(scratch).has_value());
    std::vector<std::uint8_t> wire{static_cast<std::uint8_t>(label.size())};
    wire.insert(wire.end(), label.begin(), label.end());
    wire.push_back(0);
    return image.match(wire, scratch).words[0];
}

constexpr int kMany = static_cast<int>(ImageFolder::kLeastForOlder) + 100;

BOOST_AUTO_TEST_CASE(an_older_image_has_the_rules_that_it_shares_with_the_list) {
    const Folder folder;
    ImageFolder images(folder.path.string());
    patterns(images, 0, kMany);
    images.allow_older();
    const auto older = patterns(images, 1, kMany + 3);
    BOOST_TEST_REQUIRE(images.older().has_value());
    BOOST_TEST(images.older()->patterns == static_cast<std::size_t>(kMany) + 3);
    BOOST_TEST(images.older()->missing == 3U);
    BOOST_TEST(sets_of(*older, "r7x1") == 0b100U);
    BOOST_TEST(sets_of(*older, "r8x1") == 0b10U);
    BOOST_TEST(sets_of(*older, "monkeys") == 0b1000U);
    BOOST_TEST(sets_of(*older, "r0x1") == 0U);  // removed from the list
    BOOST_TEST(sets_of(*older, "r" + std::to_string(kMany) + "x1") == 0U);
    // Without that permission it is compiled, and then there is nothing older to use.
    ImageFolder whole(folder.path.string());
    const auto present = patterns(whole, 1, kMany + 3);
    BOOST_TEST(!whole.older().has_value());
    BOOST_TEST(sets_of(*present, "r" + std::to_string(kMany) + "x1") != 0U);
    ImageFolder again(folder.path.string());
    again.allow_older();
    patterns(again, 1, kMany + 3);
    BOOST_TEST(!again.older().has_value());
}

BOOST_AUTO_TEST_CASE(an_image_that_lacks_too_much_or_is_damaged_is_not_used) {
    const Folder folder;
    ImageFolder images(folder.path.string());
    patterns(images, 0, kMany);
    images.allow_older();
    const auto other = patterns(images, kMany / 5, kMany + kMany / 5);
    BOOST_TEST(!images.older().has_value());
    BOOST_TEST(sets_of(*other, "r" + std::to_string(kMany) + "x1") != 0U);
    for (const fs::path& path : folder.files()) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(fs::file_size(path) - 4));
        file.put('~');
    }
    const auto built = patterns(images, 1, kMany + 3);
    BOOST_TEST(!images.older().has_value());
    BOOST_TEST(images.take_sentences().size() == 2U);
    BOOST_TEST(sets_of(*built, "r" + std::to_string(kMany) + "x1") != 0U);
}

BOOST_AUTO_TEST_CASE(a_short_list_is_compiled) {
    const Folder folder;
    ImageFolder images(folder.path.string());
    images.allow_older();
    patterns(images, 0, 100);
    patterns(images, 0, 101);
    BOOST_TEST(!images.older().has_value());
}

BOOST_AUTO_TEST_CASE(a_reading_folder_writes_nothing) {
    const Folder folder;
    ImageFolder images(folder.path.string());
    images.only_read();
    BOOST_TEST(images.is_own());
    BOOST_TEST(!ImageFolder("/nonexistent").is_own());
    patterns(images, 0, 100);
    BOOST_TEST(folder.files().empty());
}

BOOST_AUTO_TEST_CASE(expressions_of_kept_images_are_known) {
    const Folder folder;
    ImageFolder images(folder.path.string());
    BOOST_TEST(matchers::kept_expressions(images).empty());
    patterns(images, 0, 100);
    const auto kept = matchers::kept_expressions(images);
    BOOST_TEST_REQUIRE(kept.size() == 101U);
    BOOST_TEST(kept[5].text == "^r5x[0-9]");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::build
