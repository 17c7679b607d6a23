// The permissions with which one thread opens files while this process is still root: those of the user that it becomes.
//
// A start reads the configuration, lists, rules, images and state files. The user may write some of them, and may put a
// link to a file of root in their place. So they are opened with the permissions of that user, and of root's own files
// only those that the user could not have chosen are read (RootToRead).
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

namespace steer {

// While it exists, this thread opens, creates and removes files with the permissions of `user` and no others. Threads that
// this one starts during that time inherit them. One inside another changes no permissions. Does nothing if the name is
// empty, or if this process has no more rights than that user. Broken invariant: there is no such user.
class FilesAs {
  public:
    // RootToRead has no effect.
    explicit FilesAs(const std::string& user);
    // `sources` are the files of the configuration. RootToRead has an effect if the user can change none of them.
    FilesAs(const std::string& user, std::span<const std::string> sources);
    ~FilesAs();
    FilesAs(const FilesAs&) = delete;
    FilesAs& operator=(const FilesAs&) = delete;

    // A further file of the configuration that this thread reads.
    static void note_source(const std::string& path);

  private:
    friend class RootToRead;
    void enter();  // the user's permissions
    void leave();  // ours
    // Whether the user can write the file, or exchange it or a part of its path.
    bool can_change(const std::string& path);
    bool can_write(int folder, const char* name);
    bool can_exchange(int folder, uid_t owner_of_entry, bool has_other_names);

    FilesAs* outer_ = nullptr;
    bool is_active_ = false;
    bool may_read_as_root_ = false;
    bool is_root_ = false;  // else capabilities of this thread are lowered
    uid_t uid_ = 0;
    gid_t gid_ = 0;
    std::vector<gid_t> groups_;       // of this thread before
    unsigned long long lowered_ = 0;  // capabilities, as bits
};

// While it exists, this thread reads the file with all rights again, although FilesAs is in force: a key or a password that
// root alone may read. Only if the user cannot read it and can change neither the file, nor a part of its path, nor a file
// of the configuration (which could name any file of root).
class RootToRead {
  public:
    explicit RootToRead(const std::string& path);
    ~RootToRead();
    RootToRead(const RootToRead&) = delete;
    RootToRead& operator=(const RootToRead&) = delete;

  private:
    FilesAs* left_ = nullptr;
};

}  // namespace steer
