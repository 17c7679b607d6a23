// Where a program of the daemon is searched for, and what is taken for it.
#include "control/host/process/child_program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

namespace steer {
namespace {

struct Folders {
    Folders() {
        std::string pattern = std::filesystem::temp_directory_path() / "child_program_XXXXXX";
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        top = pattern;
        for (const char* const name : {"one", "two"})
            std::filesystem::create_directory(top / name);
    }
    ~Folders() { std::filesystem::remove_all(top); }
    [[nodiscard]] std::string folder(const char* name) const { return (top / name).string(); }
    void put(const char* name, mode_t mode) const {
        const auto path = top / name / "steerdns-sets";
        const Descriptor file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        BOOST_REQUIRE_EQUAL(::fchmod(file.get(), mode), 0);
    }
    [[nodiscard]] ChildProgram program() const {
        return {"steerdns-sets", 1024, {folder("one"), folder("two")}};
    }

    std::filesystem::path top;
};

BOOST_FIXTURE_TEST_SUITE(child_program, Folders)

BOOST_AUTO_TEST_CASE(a_missing_program_is_found_after_its_installation) {
    ChildProgram missing = program();
    const auto start = missing.start();
    BOOST_TEST_REQUIRE(!start);
    BOOST_TEST(start.error().text == "steerdns-sets is not in " + folder("one") + " nor in " +
                                         folder("two") + ": install it");
    put("two", 0755);
    BOOST_TEST(missing.open().has_value());
    std::filesystem::remove(top / "two" / "steerdns-sets");
    BOOST_TEST(missing.open().has_value());  // it stays open
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_executable_is_named) {
    put("one", 0644);
    const auto opened = program().open();
    BOOST_TEST_REQUIRE(!opened);
    BOOST_TEST(opened.error().text ==
               "'" + folder("one") + "/steerdns-sets' is not an executable file: install it again");
    put("two", 0755);
    BOOST_TEST(program().open().has_value());
}

BOOST_AUTO_TEST_CASE(a_folder_is_not_a_program) {
    std::filesystem::create_directory(top / "one" / "steerdns-sets");
    const auto opened = program().open();
    BOOST_TEST_REQUIRE(!opened);
    BOOST_TEST(opened.error().text.find("is not an executable file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unreadable_program_is_named_with_the_reason) {
    std::filesystem::remove(top / "one");
    put("two", 0600);
    std::filesystem::create_symlink(top / "one", top / "one");
    const auto opened = program().open();
    BOOST_TEST_REQUIRE(!opened);
    BOOST_TEST(opened.error().text == "'" + folder("one") + "/steerdns-sets' cannot be opened: " +
                                          "Too many levels of symbolic links");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
